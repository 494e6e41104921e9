# What a shell that stays does at each tick, and the same as a script of its own for hosts that keep no shell open.
# short: run_tick=t
# Numbers stay unquoted, names come from other files, and fragments end where others go on.
# shellcheck disable=SC2034,SC2086,SC2317

# fragment: tickFunction
run_tick() {
  holds_output=$2
  @PARTS@
  @TOOLS@
  add_marker z $1
  flush_output
}

# fragment: guardedTickFunction
run_tick() {
  start_guard
  holds_output=$2
  @PARTS@
  @TOOLS@
  add_marker z $1
  flush_output
}

# fragment: tickLine
run_tick @TICK@

# fragment: heldTickLine
run_tick @TICK@ 1

# fragment: tickScript
@ENVIRONMENT@
@SETUP@
@LIMITER@
@ALL_ASLEEP@
@PARTS@
@TOOLS@
add_marker z @TICK@
flush_output
exit 0
