# How each kind of part is run. A part is one question of a tick.
# short: run_part=r run_buffered=q part_id=i error_text=e output_text=o probe_status=s
# Part names are constants without blanks.
# shellcheck disable=SC2086

# fragment: parts
# run_part PART PROGRAM ARGS... runs a program: its output goes straight out. Its stderr is caught, and marked when the
# program has ended.
run_part() {
  part_id=$1
  shift
  add_marker p $part_id
  flush_output
  {
    error_text=$(exec_limited "$@" 2>&1 >&3 3>&- </dev/null)
    exit_status=$?
  } 3>&1
  if [ -n "$error_text" ]; then
    add_marker e $part_id
    flush_output
    printf "%.@STDERR_BYTES@s" "$error_text"
  fi
  mark_end x $part_id $exit_status
}

# run_buffered PART PROGRAM ARGS... does the same for a program that prints little: its stderr goes straight out, and its
# output is caught, so that it can share one write with what follows.
run_buffered() {
  part_id=$1
  shift
  add_marker q $part_id
  flush_output
  {
    output_text=$(exec_limited "$@" 2>&3 3>&- </dev/null)
    exit_status=$?
  } 3>&1
  mark_end o $part_id $exit_status
  add_output "$output_text"
}

# fragment: programPart
run_part @PART@ @COMMAND@

# fragment: bufferedProgramPart
run_buffered @PART@ @COMMAND@

# fragment: shellPart
# Shell text. Its stderr is that of the channel.
add_marker p @PART@
flush_output
{
  @COMMAND@
} </dev/null

# fragment: bufferedShellPart
# Shell text that prints by add_output and add_lines, and calls flush_output before a program that prints.
add_marker p @PART@
{
  @COMMAND@
} </dev/null

# fragment: shellPartEnd
mark_end x @PART@ $?

# fragment: programProbeEnd
probe_status=$exit_status

# fragment: shellProbeEnd
probe_status=$?
add_marker x @PART@ $probe_status
