/**
 * The guard of a shell that stays: POSIX sh text, a constant. A program under `timeout` costs the watched host two
 * programs, and more of its time than a vendor tool's query. Under the guard the shell starts it bare, and one
 * background process a shell ends what runs too long. It learns of that from /proc alone, and wakes once a deadline, so
 * that a tick pays nothing for it.
 *
 * The shell must lead its session, as it does under OpenSSH: whatever its programs started is known by the session then,
 * and is ended with them, even when the shell has died. Where it does not, or /proc tells less, `timeout` stays.
 */
import { boundFunction } from "./bounds.js";

// What /proc/PID/stat tells of a process; `start` is in hundredths of a second since boot, as all times here.
const LOOK =
  'look() { line=; read -r line <$1; pid=${line%% *}; set -- ${line##*") "}; parent=$2; session=$4; start=${20}; }';

// A sleep's own start tells what time it is. Old ones take whole seconds alone.
const DOZE = [
  "nap() { sleep $1 & sleeper=$!; look /proc/$sleeper/stat; wait $sleeper; }",
  "doze() { nap $((rest/100)).$((rest/10%10))$((rest%10)) || { rest=$(((rest+99)/100*100)); nap $((rest/100)); }; }",
];

// The session's other processes, and those of the shell's children that left it. What login shells' rc files have left
// behind has begun before the guard.
const OTHERS = [
  'others() { grep -s -h -E "^[0-9]+ [(].*[)] . ($$ [0-9]+ [0-9]+|[0-9]+ [0-9]+ $$) " /proc/[0-9]*/stat |',
  'while read -r line; do pid=${line%% *}; set -- ${line##*") "}; case $pid in $$|$me) ;;',
  "*) if [ ${20} -ge $born ]; then echo $pid; fi;; esac; done; }",
];

// As `timeout -k 1`. By the second time the shell may have gone on to its next program. The program goes before what it
// started, or it lives to complain of that one's end; /proc lists a later process first where pids get a digit more.
const FINISH = [
  "finish() { kill $child $doomed; nap 1; late=; for pid in $(others); do look /proc/$pid/stat",
  'case $doomed in *" $pid "*|*" $parent "*) if [ "$pid" = "$child" ]; then late="$pid $late"; else late="$late $pid"; fi;;',
  "esac; done; kill -KILL $late; }",
];

// The shell hears of it before the program does: one that takes SIGTERM as a reason to exit 0 has timed out all the same.
const LOOP = [
  'guard() { trap "kill \\$sleeper; exit" TERM; look /proc/self/stat; me=$pid; born=$start; rest=$((T*100))',
  "while doze; do now=$((${start:-0}+rest)); rest=$((T*100))",
  "children=; read -r children </proc/$$/task/$$/children",
  'case " $children " in *" $me "*) ;; *) look /proc/$me/stat; if [ "$parent" != $$ ]; then',
  'doomed=" $(echo $(others)) "; child=; finish; exit; fi;; esac',
  "for child in $children; do if [ $child != $me ]; then look /proc/$child/stat",
  'left=$rest; if [ "${start:-0}" -ge $born ]; then left=$((T*100+start-now)); fi',
  'if [ $left -le 0 ]; then doomed=" $(echo $(others)) "; case $doomed in *" $child "*)',
  "kill -USR1 $$; finish; rest=$((T*100-99)); break;; esac",
  "elif [ $left -lt $rest ]; then rest=$left; fi; fi; done; done; }",
];

/**
 * Defines `guarded`, for the start of a tick. Where the guard can be, it takes the place of what bounds programs (`b` and
 * `x` of script.ts), and `k` has the status of a part that it ended.
 */
export const GUARD = [
  ...[LOOK, ...DOZE, ...OTHERS, ...FINISH, ...LOOP],
  "guarded() { :; }; look /proc/self/stat",
  'if [ "$pid $session" = "$$ $$" ] && [ -r /proc/$$/task/$$/children ]; then',
  `${boundFunction('command "$@"', "c=$?; c=${k:-$c}; k=")}; x() { unlimit; exec "$@"; }`,
  "guarded() { kill -0 $g 2>/dev/null || { guard </dev/null >/dev/null 2>&1 & g=$!; }; }",
  'trap "k=124" USR1; trap exit PIPE; trap "kill \\$g 2>/dev/null" 0; fi',
].join("\n");
