# The first script of a session: takes the host's first sample, finds the tools that work and takes theirs, and leaves a
# shell behind. The host's own parts come first, so that a tool that nothing can end does not hide them.
# short: session_nonce=N found_groups=F tool_failed=B
# Numbers and constants of ours stay unquoted, names come from other files, and fragments end where others go on.
# shellcheck disable=SC2034,SC2086,SC2093,SC2154,SC2317

# fragment: setup
# An exported SHELLOPTS would turn these on in bash.
set +efux
@LIMITS@
session_nonce=@NONCE@
tool_timeout=@TIMEOUT_SECS@
@OUTPUT@
@PARTS@

# fragment: bootstrap
@ENVIRONMENT@
@SETUP@
@DETECT_LIMITER@
add_marker v $limiter_name $system_name
@KEPT_FACTS@
@HOST_PARTS@
found_groups=@FOUND_BEFORE@
tool_failed=
@FIND_PROGRAM@
@TOOL_STATE@
@ALL_ASLEEP@
@TOOLS@
@PCI_DEVICES@
add_marker z 0
flush_output
@LAST@

# fragment: hostParts
case "${system_name%% *}" in
  @SYSTEM@) @PARTS@;;
esac

# fragment: toolParts
# Once a tool of a group works, the others of that group are not run. The group `all` stands for every group.
case $found_groups in
  *-all-*|*-@GROUP@-*) ;;
  *)
    if @FIND@; then
      add_marker t @SHIM@ @FOUND_AS@
      @PROBE@
    fi
    ;;
esac

# fragment: lastResort
# What the kernel itself reports of its devices is read only where no tool works. The PCI vendors then show which of the
# tools that failed have devices here.
case $found_groups. in
  .)
    if @FIND@; then
      add_marker t @SHIM@ @FOUND_AS@
      tool_failed=1
      @PROBE@
    fi
    ;;
esac

# fragment: probe
# The first part decides whether the tool works; only then the others are asked.
@FIRST@
if [ $probe_status -eq 0 ]; then
  found_groups=$found_groups-@GROUP@-
  @OTHERS@
else
  tool_failed=1
fi

# fragment: pciPart
# Where one tool works and another fails, the PCI devices show whether the failed one has devices here. Where no tool is
# there, they show whether the host has an accelerator at all.
case $found_groups.$tool_failed in
  .?*|?*.) ;;
  *)
    add_marker p @PCI_PART@
    @LIST_PCI_DEVICES@
    mark_end x @PCI_PART@ 0
    ;;
esac

# fragment: stay
unlimit_memory
exec /bin/sh -s

# fragment: leave
exit 0

# fragment: bareShell
@ENVIRONMENT@
exec /bin/sh -s
