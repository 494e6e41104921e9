# What bounds a program on a host, in memory and in time.
# short: memory_limit=V limit_memory=a unlimit_memory=u run_limited=b exec_limited=x tool_timeout=T
# short: has_gnu_timeout=ht machine_name=hm
# short: system_name=U limiter_name=L program_pid=p sleep_pid=sp watch_pid=w exit_status=c
# Numbers stay unquoted, names come from other files. `ulimit -v` is no part of POSIX: where it fails, there is no limit.
# shellcheck disable=SC2034,SC2086,SC2123,SC2154,SC2317,SC3013,SC3045

# fragment: limits
# The shell holds what a program prints on stderr until the program has ended. An endless complaint must not fill the
# host's memory, so the shell gets no more address space than this, in KiB. Programs get the session's own limit back.
# A shell that gets new definitions knows that limit already.
memory_limit=${memory_limit-$(ulimit -S -v 2>/dev/null)}
limit_memory() {
  ulimit -S -v @SHELL_KIB@ 2>/dev/null
}
limit_memory
unlimit_memory() {
  ulimit -S -v ${memory_limit:-unlimited} 2>/dev/null
}

# Each of the next three defines the same two functions. `run_limited PROGRAM ARGS...` runs a program under the deadline: one
# that the shell itself starts is cheaper than one in a subshell, because dash starts it without a copy of itself.
# `exec_limited PROGRAM ARGS...` does the same as the last command of a subshell.

# fragment: limiterGnu
run_limited() {
  unlimit_memory
  timeout -k 1 $tool_timeout "$@"
  exit_status=$?
  limit_memory
  return $exit_status
}
exec_limited() {
  unlimit_memory
  exec timeout -k 1 $tool_timeout "$@"
}

# fragment: limiterBusybox
# Old busybox: the seconds come by -t, and there is no -k.
run_limited() {
  unlimit_memory
  timeout -t $tool_timeout "$@"
  exit_status=$?
  limit_memory
  return $exit_status
}
exec_limited() {
  unlimit_memory
  exec timeout -t $tool_timeout "$@"
}

# fragment: limiterWatchdog
# Without a `timeout` program, a background process kills what runs too long.
run_limited() {
  (unlimit_memory; exec "$@") &
  program_pid=$!
  {
    trap "kill \$sleep_pid; exit 0" TERM
    sleep $tool_timeout &
    sleep_pid=$!
    wait $sleep_pid
    kill $program_pid
    sleep 1
    kill -9 $program_pid
  } >/dev/null 2>&1 &
  watch_pid=$!
  wait $program_pid
  exit_status=$?
  kill $watch_pid 2>/dev/null
  wait $watch_pid 2>/dev/null
  return $exit_status
}
exec_limited() {
  run_limited "$@"
}

# fragment: detectLimiter
# Linux names itself in /proc, its machine too since 6.1. Its `timeout` is that of GNU coreutils 8.21 or later where numfmt,
# which only those have, stands beside it, neither is a link to a program that is both, and the shell has no `timeout` of
# its own, as busybox may. Elsewhere the first program that is needed anyway shows which `timeout` the host has.
has_gnu_timeout() {
  path_left=$PATH
  PATH=/dev/null
  command -v timeout >/dev/null 2>&1
  exit_status=$?
  PATH=$path_left
  [ $exit_status -ne 0 ] || return 1
  saved_ifs=$IFS
  IFS=:
  for path_folder in $PATH; do
    if [ -x "$path_folder/timeout" ]; then
      break
    fi
  done
  IFS=$saved_ifs
  [ -x "$path_folder/numfmt" ] && [ -f "$path_folder/timeout" ] || return 1
  if [ -h "$path_folder/timeout" ] || [ "$path_folder/timeout" -ef "$path_folder/numfmt" ]; then
    return 1
  fi
}
system_name=
machine_name=
{
  read -r system_name </proc/sys/kernel/ostype
  read -r machine_name </proc/sys/kernel/arch
} 2>/dev/null
system_name=${system_name:+$system_name${machine_name:+ $machine_name}}
if [ -n "$system_name" ] && has_gnu_timeout || system_name=$(timeout -k 1 $tool_timeout uname -s -m 2>/dev/null); then
  limiter_name=gnu
  @GNU@
elif system_name=$(timeout -t $tool_timeout uname -s -m 2>/dev/null); then
  limiter_name=busybox
  @BUSYBOX@
else
  limiter_name=watchdog
  system_name=$(uname -s -m 2>/dev/null)
  @WATCHDOG@
fi
