# Facts of this host that an earlier run has kept (docs/cache.md), and what shows that they still hold. The host compares;
# where anything differs, it is read anew in the same script.
# short: boot_id=hb host_name=kn kept_host_state=kf kept_clocks=kc kept_tool_state=kt kept_fields=kq state_now=kk is_kept=kw
# short: read_tool_state=ks tool_file=kp
# Names come from other files, places are filled with patterns. PATH is split on purpose. `-nt` is no part of POSIX: where it is not known, it fails.
# shellcheck disable=SC2034,SC2086,SC2154,SC2195,SC3013

# fragment: keptFacts
# Two machines with one host key have different boot ids, two containers of one machine different names.
boot_id=
host_name=
{
  read -r boot_id <@BOOT_ID_FILE@
  read -r host_name </proc/sys/kernel/hostname
} 2>/dev/null
add_marker k "$boot_id" "$host_name"
case "$boot_id $host_name" in
  @KEPT@) @KEPT_VALUES@;;
esac

# fragment: toolState
# read_tool_state FILE sets state_now: the driver's version from FILE, the tool's file, whether it is newer than the
# loader's cache, and the loader's path. Empty where the driver has no version: then nothing of the tool is kept.
read_tool_state() {
  state_now=
  {
    read -r state_now
  } <$1
  case "$state_now" in
    "") return;;
  esac
  tool_file=$program_name
  case "$tool_file" in
    */*) ;;
    *)
      saved_ifs=$IFS
      IFS=:
      for path_folder in $PATH; do
        if [ -x "$path_folder/$program_name" ]; then
          tool_file=$path_folder/$program_name
          break
        fi
      done
      IFS=$saved_ifs
      ;;
  esac
  state_now="$state_now $tool_file"
  if [ "$tool_file" -nt /etc/ld.so.cache ]; then
    state_now="$state_now new"
  fi
  state_now="$state_now $LD_LIBRARY_PATH"
} 2>/dev/null
