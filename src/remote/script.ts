/**
 * The POSIX sh text that runs on a host. Everything in it is a constant of ours or made of numbers: no text of the
 * operator's or of a remote side ever stands in a command.
 *
 * A frame is what one tick answers, as marked lines in the output stream (`N` is the session's nonce, so that no tool
 * can forge a marker):
 *
 *     @N v LIMITER UNAME      bootstrap only: how programs are bounded here, and `uname -s -m`
 *     @N t SHIM EXECUTABLE    bootstrap only: this tool is here; its probe parts follow (host.pci comes behind the last)
 *     @N p PART               the part's standard output follows
 *     @N e PART               its standard error follows (its beginning)
 *     @N x PART STATUS        it ended
 *     @N q PART               the brief part's standard error follows
 *     @N o PART STATUS        it ended; its standard output follows, without its last newline
 *     @N z TICK               the frame ends
 *
 * Each marker is printed with a newline before it, so that output without a final newline cannot swallow it. What the
 * shell says itself waits until a program is about to run, or the frame ends: each write of its own would be a packet,
 * which both sides pay for.
 */
import type { Part, ShellPart } from "../shims/kit/shim.js";
import { BOUND, DETECT_LIMITER, LIMITS, STDERR_BYTES, type TimeoutCommand } from "./bounds.js";
import { GUARD } from "./guard-script.js";

/** Where vendors put their tools although non-interactive shells have no PATH to them. */
export const EXTRA_PATH = [
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "/opt/rocm/bin:/usr/lib/wsl/lib:/usr/local/nvidia/bin:/var/lib/nvidia/bin:/home/kubernetes/bin/nvidia/bin",
  "/usr/local/sbin/npu-smi:/usr/local/dcmi:/usr/local/Ascend/driver/tools:/opt/intel/xpum/bin:/opt/habanalabs/bin",
  "/usr/local/cuda/bin:/opt/rebellions/bin:/opt/homebrew/bin:/snap/bin",
  "$HOME/.local/bin:$HOME/.cargo/bin:$HOME/bin",
].join(":");

// `r ID PROGRAM ARGS...` runs a program part: its output goes straight out, its standard error is caught and marked.
const RUN_PART =
  `r() { i=$1; shift; m p $i; f; { e=$(x "$@" 2>&1 >&3 3>&- </dev/null); c=$?; } 3>&1; ` +
  `if [ -n "$e" ]; then m e $i; f; printf "%.${STDERR_BYTES}s" "$e"; fi; y x $i $c; }`;

// `q` is the same of a brief part: its standard error goes straight out, and its output is caught.
const RUN_BUFFERED = `q() { i=$1; shift; m q $i; f; { o=$(x "$@" 2>&3 3>&- </dev/null); c=$?; } 3>&1; y o $i $c; w "$o"; }`;

// An empty PATH would put the current folder first. What is asked for before it is set must not come from the host.
const ENVIRONMENT = `unset V U g k hf; LC_ALL=C; PATH=\${PATH:-/usr/bin:/bin}:${EXTRA_PATH}; export LC_ALL PATH`;

// `w TEXT` says something, `f` prints what waits to be said, `n` is a newline, `m` marks. `y MARK PART STATUS` says that a
// part ended; the guard's word of it counts for more (`k`). The newline is the last of IFS's three (zsh has one more).
// `l COUNT FILE LAST` says a file's lines, so many or to the one that begins with LAST; bash does so in one piece, and its
// `M` is 1: its own `read` would have the kernel write a file of /proc anew for each line.
export const SAY =
  `n=\${IFS#??}; n=\${n%\${n#?}}; W=; w() { W="$W$1"; }; f() { printf %s "$W"; W=; }; ` +
  `m() { w "$n@$N $*$n"; }; y() { m $1 $2 \${k:-$3}; k=; }; ` +
  `M=; if [ -n "$BASH_VERSION" ] && command -v mapfile >/dev/null; then M=1; ` +
  `eval "l() { local IFS=; mapfile -n \\$1 ha <\\$2; w \\"\\\${ha[*]}\\"; unset ha; }"; ` +
  `else l() { hi=$1; while [ $hi -gt 0 ] && read -r hl; do w "$hl$n"; case "$hl" in "$3"*) break;; esac; ` +
  `hi=$((hi-1)); done <$2; }; fi`;

function setup(nonce: string, toolTimeoutSecs: number): string {
  // An exported SHELLOPTS would turn these on in bash.
  return `set +efux; ${LIMITS}; N=${nonce}; T=${Math.max(1, Math.round(toolTimeoutSecs))}; ${SAY}; ${RUN_PART}; ${RUN_BUFFERED}`;
}

/** One part as a statement. */
function statement(part: Part, executable: string | null): string {
  const command = executable === null ? part.command : part.command.replaceAll("{tool}", executable);
  if (part.kind === "program") return `${part.isBuffered === true ? "q" : "r"} ${part.id} ${command}`;
  return `${shellPart(part, command)}; y x ${part.id} $?`;
}

/** Its standard error is the channel's own. */
function shellPart(part: ShellPart, command: string): string {
  return `m p ${part.id}; ${part.kind === "buffered-shell" ? "" : "f; "}{ ${command}; } </dev/null`;
}

function statements(parts: readonly Part[], executable: string | null): string {
  return parts.map((part) => statement(part, executable)).join("; ");
}

/** A tool that may be on the host, in the order in which it is tried. */
export interface ToolCandidate {
  readonly shim: string;
  /** Once one tool of a group works, the others of it are not asked; null: one that works is enough for all. */
  readonly group: string | null;
  readonly executables: readonly string[];
  readonly probe: readonly Part[];
}

/** What an operating system is asked for besides the vendor tool. */
export interface SystemParts {
  /** What `uname -s` prints there. */
  readonly uname: string;
  readonly probe: readonly Part[];
}

export interface BootstrapPlan {
  readonly nonce: string;
  readonly toolTimeoutSecs: number;
  readonly systems: readonly SystemParts[];
  readonly candidates: readonly ToolCandidate[];
  /** True: the channel stays open as a bare shell that takes ticks on its standard input. */
  readonly stay: boolean;
}

/** The part that lists the PCI vendors, where one tool works and another fails. */
export const PCI_VENDORS = "host.pci";

// Intel's ids stand for nearly everything in a host: of those, the class tells a display or an accelerator.
const LIST_PCI_VENDORS =
  "for hd in /sys/bus/pci/devices/*; do hv=; { read -r hv; } <$hd/vendor; " +
  `case $hv in 0x8086) hc=; { read -r hc; } <$hd/class; case $hc in 0x03*|0x12*) ;; *) hv=;; esac;; esac; ` +
  'w "$hv$n"; done 2>/dev/null';

// `o NAMES` finds a program, into $X. One that cannot be executed (its mode, a link to nothing) is there all the same, and
// its failure is to be reported; it gives way to another name that can be.
const FIND =
  'o() { for X in "$@"; do command -v $X >/dev/null 2>&1 && return 0; done; hi=$IFS; IFS=:; for X in "$@"; do ' +
  'for hd in $PATH; do if [ -e "$hd/$X" ] || [ -h "$hd/$X" ]; then IFS=$hi; return 0; fi; done; done; ' +
  "IFS=$hi; return 1; }";

/**
 * The first script: takes the host's first sample, finds the tools that work and takes theirs, and leaves a shell
 * behind. The host's own parts come first, so that a tool that nothing can end does not hide them. One line that sh, csh
 * and fish login shells all hand to /bin/sh unharmed.
 */
export function bootstrapScript(plan: BootstrapPlan): string {
  const search = plan.candidates.map(
    ({ shim, group, executables, probe }) =>
      `case $F in *-all-*|*-${group ?? "all"}-*) ;; *) if o ${executables.join(" ")}; then ` +
      `m t ${shim} $X; ${firstDecides(probe, group ?? "all")}; fi;; esac`,
  );
  const systems = plan.systems.map(({ uname, probe }) => `${uname}) ${statements(probe, null) || ":"};;`);
  const script = [
    ENVIRONMENT,
    setup(plan.nonce, plan.toolTimeoutSecs),
    DETECT_LIMITER,
    `m v $L $U`,
    `case "\${U%% *}" in ${systems.join(" ")} esac`,
    `F=; B=; ${FIND}`,
    ...search,
    `case $F.$B in .*|*.) ;; *) m p ${PCI_VENDORS}; ${LIST_PCI_VENDORS}; y x ${PCI_VENDORS} 0;; esac`,
    `m z 0; f`,
    plan.stay ? `unlimit; exec /bin/sh -s` : `exit 0`,
  ].join("; ");
  return script;
}

/** A tool's probe parts; its group is in $F when the first part's program exits 0, and only then the others are asked. */
function firstDecides(probe: readonly Part[], group: string): string {
  const [first, ...rest] = probe;
  if (first === undefined) return ":";
  const status = first.kind === "program" ? `${statement(first, "$X")}; s=$c` : shellStatus(first);
  const others = rest.length === 0 ? "" : `; ${statements(rest, "$X")}`;
  return `${status}; if [ $s -eq 0 ]; then F=$F-${group}-${others}; else B=1; fi`;
}

function shellStatus(part: ShellPart): string {
  const command = part.command.replaceAll("{tool}", "$X");
  return `${shellPart(part, command)}; s=$?; m x ${part.id} $s`;
}

/** What each tick asks of one host, once its tool is known. */
export interface TickPlan {
  readonly nonce: string;
  readonly toolTimeoutSecs: number;
  readonly limiter: TimeoutCommand;
  /** A shell that stays bounds its programs by a guard, where it can. */
  readonly isGuarded: boolean;
  readonly system: readonly Part[];
  readonly tools: readonly ToolParts[];
}

/** What one vendor tool is asked, by the executable that was found. */
export interface ToolParts {
  readonly parts: readonly Part[];
  readonly executable: string;
}

function toolStatements(tools: readonly ToolParts[]): string {
  return (
    tools
      .map(({ parts, executable }) => statements(parts, executable))
      .filter((text) => text !== "")
      .join("; ") || ":"
  );
}

/** Text for a shell that stays: defines `t TICK`. */
export function tickDefinitions(plan: TickPlan): string {
  const parts = statements(plan.system, null) || ":";
  const tool = toolStatements(plan.tools);
  return [
    setup(plan.nonce, plan.toolTimeoutSecs),
    BOUND[plan.limiter],
    ...(plan.isGuarded
      ? [GUARD, `t() { guarded; ${parts}; ${tool}; m z $1; f; }`]
      : [`t() { ${parts}; ${tool}; m z $1; f; }`]),
    "",
  ].join("\n");
}

/** The line that asks for one tick. */
export function tickLine(tick: number): string {
  return `t ${tick}\n`;
}

/** One tick as a script of its own, for hosts that keep no shell open. */
export function tickScript(plan: TickPlan, tick: number): string {
  return [
    ENVIRONMENT,
    setup(plan.nonce, plan.toolTimeoutSecs),
    BOUND[plan.limiter],
    statements(plan.system, null) || ":",
    toolStatements(plan.tools),
    `m z ${tick}; f; exit 0`,
  ].join("; ");
}

/** A bare shell with the bootstrap's environment, for a session whose first shell hangs. */
export const BARE_SHELL_SCRIPT = `${ENVIRONMENT}; exec /bin/sh -s`;

/** The same for a shell that takes scripts by standard input: an exec would lose what it has read ahead. */
export const BARE_INPUT_SCRIPT = ENVIRONMENT;

/** For login shells that would change a quoted script (xonsh): it comes by standard input, one line. */
export const SHELL_FOR_INPUT = "/bin/sh -s";

/**
 * Runs a program until the channel's input ends, and ends with it when it ends by itself. The watcher outlives a shell
 * that is killed; were both killed, the program's own next word into the closed channel ends it.
 */
export function holdCommand(command: string, executable: string): string {
  const program = command.replaceAll("{tool}", executable);
  const watcher = `{ read -r w; kill -9 $p; } <&3 >/dev/null 2>&1`;
  return shellCommand(
    `${ENVIRONMENT}; exec 3<&0; ${program} </dev/null 3<&- & p=$! ; ${watcher} & w=$! ; exec 3<&-; ` +
      `wait $p; c=$?; kill $w 2>/dev/null; exit $c`,
  );
}

// What a login shell other than sh acts on inside single quotes: csh history (`!`, but not before a blank), fish's
// escapes (`\\`), line ends.
const UNSAFE_IN_QUOTES = /['\n\r]|\\\\|!(?! )/;

/** `exec /bin/sh -c '...'`. Throws when a part breaks the rule that keeps every login shell from changing it. */
export function shellCommand(script: string): string {
  const unsafe = UNSAFE_IN_QUOTES.exec(script);
  if (unsafe !== null) {
    const at = script.slice(Math.max(0, unsafe.index - 30), unsafe.index + 10);
    throw new Error(`remote script holds ${JSON.stringify(unsafe[0])} near ${JSON.stringify(at)}`);
  }
  return `exec /bin/sh -c '${script}'`;
}
