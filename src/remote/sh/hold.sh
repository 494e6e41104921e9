# Runs a program until the channel's input ends, and ends when the program ends. The watcher outlives a shell that is
# killed. If both are killed, the program ends when it next writes into the closed channel.
# short: input_line=il
# What is read is of no use.
# shellcheck disable=SC2034

# fragment: hold
@ENVIRONMENT@
exec 3<&0
@PROGRAM@ </dev/null 3<&- &
program_pid=$!
{
  read -r input_line
  kill -9 $program_pid
} <&3 >/dev/null 2>&1 &
watch_pid=$!
exec 3<&-
wait $program_pid
exit_status=$?
kill $watch_pid 2>/dev/null
exit $exit_status
