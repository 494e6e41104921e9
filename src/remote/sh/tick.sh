# What a shell that stays does at each tick, and the same as a script of its own for hosts that keep no shell open.
# short: run_tick=t
# Numbers stay unquoted, and fragments end where others go on.
# shellcheck disable=SC2086,SC2317

# fragment: tickFunction
run_tick() {
  @PARTS@
  @TOOLS@
  add_marker z $1
  flush_output
}

# fragment: guardedTickFunction
run_tick() {
  start_guard
  @PARTS@
  @TOOLS@
  add_marker z $1
  flush_output
}

# fragment: tickLine
run_tick @TICK@

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
