# The guard of a shell that stays. `timeout` costs the watched host two processes a program, and more of its time than a
# vendor tool's query. Under the guard the shell starts programs directly, and one background process a shell ends what
# runs too long. It reads only /proc and wakes once a deadline, so a tick costs nothing for it.
#
# The shell must lead its session, as it does under OpenSSH: then the session shows which processes its programs started,
# and they are ended too, even when the shell has died. Where it does not lead one, or /proc lacks what is needed, the
# limiter of limits.sh stays.
#
# All times are in hundredths of a second since boot, as in /proc/PID/stat.
# short: read_stat=gs stat_line=gi stat_pid=gp parent_pid=ga session_id=ge start_time=gt
# short: sleep_and_note=gn sleeper_pid=gz sleep_left=gd time_left=gr time_now=gw
# short: list_others=go guard_self=gm guard_start=gb end_child=gf child_pid=gc doomed_pids=gx killed_pids=gy
# short: run_guard=gg child_pids=gh child_left=gv start_guard=gu guard_pid=g guard_status=k
# Numbers, and lists of numbers that are to be split, stay unquoted; `echo $(...)` puts a list on one line.
# shellcheck disable=SC2005,SC2046,SC2086,SC2154,SC2254

# fragment: guard
# read_stat FILE reads a /proc/PID/stat.
read_stat() {
  stat_line=
  read -r stat_line <$1
  stat_pid=${stat_line%% *}
  set -- ${stat_line##*") "}
  parent_pid=$2
  session_id=$4
  start_time=${20}
}

# sleep_and_note SECONDS: the start of `sleep` shows what time it is.
sleep_and_note() {
  sleep $1 &
  sleeper_pid=$!
  read_stat /proc/$sleeper_pid/stat
  wait $sleeper_pid
}

# Sleeps for time_left. Old versions of `sleep` take only whole seconds.
sleep_left() {
  sleep_and_note $((time_left/100)).$((time_left/10%10))$((time_left%10)) || {
    time_left=$(((time_left+99)/100*100))
    sleep_and_note $((time_left/100))
  }
}

# Lists the session's other processes, and those children of the shell that left the session. What the rc files of login
# shells have left behind started before the guard, and is not listed.
list_others() {
  grep -s -h -E "^[0-9]+ [(].*[)] . ($$ [0-9]+ [0-9]+|[0-9]+ [0-9]+ $$) " /proc/[0-9]*/stat |
    while read -r stat_line; do
      stat_pid=${stat_line%% *}
      set -- ${stat_line##*") "}
      case $stat_pid in
        $$|$guard_self) ;;
        *)
          if [ ${20} -ge $guard_start ]; then
            echo $stat_pid
          fi
          ;;
      esac
    done
}

# SIGTERM, and SIGKILL a second later, as `timeout -k 1`. By then the shell may run its next program: only what was doomed
# the first time, and its children, are killed. The program is killed before what it started, or it would live to complain
# of its child's end; /proc lists a later process first where pids get a digit more.
end_child() {
  kill $child_pid $doomed_pids
  sleep_and_note 1
  killed_pids=
  for stat_pid in $(list_others); do
    read_stat /proc/$stat_pid/stat
    case $doomed_pids in
      *" $stat_pid "*|*" $parent_pid "*)
        if [ "$stat_pid" = "$child_pid" ]; then
          killed_pids="$stat_pid $killed_pids"
        else
          killed_pids="$killed_pids $stat_pid"
        fi
        ;;
    esac
  done
  kill -KILL $killed_pids
}

# The guard's loop. When the shell has died, it ends what is left. The shell gets its signal before the program does: a
# program that takes SIGTERM as a reason to exit 0 has timed out all the same.
run_guard() {
  trap "kill \$sleeper_pid; exit" TERM
  read_stat /proc/self/stat
  guard_self=$stat_pid
  guard_start=$start_time
  time_left=$((tool_timeout*100))
  while sleep_left; do
    time_now=$((${start_time:-0}+time_left))
    time_left=$((tool_timeout*100))
    child_pids=
    read -r child_pids </proc/$$/task/$$/children
    case " $child_pids " in
      *" $guard_self "*) ;;
      *)
        read_stat /proc/$guard_self/stat
        if [ "$parent_pid" != $$ ]; then
          doomed_pids=" $(echo $(list_others)) "
          child_pid=
          end_child
          exit
        fi
        ;;
    esac
    for child_pid in $child_pids; do
      if [ $child_pid != $guard_self ]; then
        read_stat /proc/$child_pid/stat
        child_left=$time_left
        if [ "${start_time:-0}" -ge $guard_start ]; then
          child_left=$((tool_timeout*100+start_time-time_now))
        fi
        if [ $child_left -le 0 ]; then
          doomed_pids=" $(echo $(list_others)) "
          case $doomed_pids in
            *" $child_pid "*)
              kill -USR1 $$
              end_child
              time_left=$((tool_timeout*100-99))
              break
              ;;
          esac
        elif [ $child_left -lt $time_left ]; then
          time_left=$child_left
        fi
      fi
    done
  done
}

# start_guard comes at the start of each tick. Where a guard can run, it takes the place of the limiter, and guard_status
# has the status of a part that it ended.
start_guard() {
  :
}
read_stat /proc/self/stat
if [ "$stat_pid $session_id" = "$$ $$" ] && [ -r /proc/$$/task/$$/children ]; then
  run_limited() {
    unlimit_memory
    command "$@"
    exit_status=$?
    exit_status=${guard_status:-$exit_status}
    guard_status=
    limit_memory
    return $exit_status
  }
  exec_limited() {
    unlimit_memory
    exec "$@"
  }
  start_guard() {
    kill -0 $guard_pid 2>/dev/null || {
      run_guard </dev/null >/dev/null 2>&1 &
      guard_pid=$!
    }
  }
  trap "guard_status=124" USR1
  trap exit PIPE
  trap "kill \$guard_pid 2>/dev/null" 0
fi
