/**
 * The POSIX sh text that runs on a host. It is put together from the fragments of sh/*.sh, and holds only constants of
 * ours and numbers: no text of a remote side ever stands in a command, and of the operator's only a tool's path, as one
 * word (tool-word.ts). docs/remote-script.md describes
 * what it does on a host.
 *
 * A frame is the answer to one tick, as marked lines in the output stream (`N` is the session's nonce, so that no tool
 * can forge a marker):
 *
 *     @N v LIMITER UNAME      bootstrap only: how programs are bounded here, and `uname -s -m`
 *     @N k BOOT_ID NAME       bootstrap only: which machine this is, for facts that are kept between runs
 *     @N t SHIM EXECUTABLE    bootstrap only: this tool is here; its probe parts follow (host.pci comes behind the last)
 *     @N p PART               the part's standard output follows
 *     @N e PART               its standard error follows (its beginning)
 *     @N x PART STATUS        it ended
 *     @N q PART               the buffered part's standard error follows
 *     @N o PART STATUS        it ended; its standard output follows, without its last newline
 *     @N z TICK               the frame ends
 */
import type { Part, ShellPart } from "../shims/kit/shim.js";
import { asleepPart } from "./asleep.js";
import { SH } from "./embedded-sh.js";
import type { BootstrapPlan, TickPlan, TimeoutCommand, ToolCandidate, ToolParts } from "./script-plan.js";
import { shellCommand } from "./shell-command.js";
import { GIVEN, shellWord, withTool } from "./tool-word.js";

/** What is kept of a program's stderr. */
export const MAX_STDERR_BYTES = 2000;

/** The address space of the shell itself, which holds what a program prints on stderr; see sh/limits.sh. */
const MAX_SHELL_KIB = 262_144;

/** Where vendors put their tools although non-interactive shells have no PATH to them. */
export const EXTRA_PATH = [
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "/opt/rocm/bin:/usr/lib/wsl/lib:/usr/local/nvidia/bin:/var/lib/nvidia/bin:/home/kubernetes/bin/nvidia/bin",
  "/usr/local/sbin/npu-smi:/usr/local/dcmi:/usr/local/Ascend/driver/tools:/opt/intel/xpum/bin:/opt/habanalabs/bin",
  "/usr/local/cuda/bin:/opt/rebellions/bin:/opt/aws/neuron/bin:/opt/homebrew/bin:/snap/bin",
  "$HOME/.local/bin:$HOME/.cargo/bin:$HOME/bin",
].join(":");

/** The part that lists the PCI devices, where one tool works and another fails, or where there is no tool. */
export const PCI_DEVICES = "host.pci";

/** What prints: the functions that shell parts may call (see docs/remote-script.md). */
export const OUTPUT_FUNCTIONS = SH.output;

/** Puts `values` in the `@NAME@` places of a fragment. Throws when a place has no value. */
function fill(fragment: string, values: Readonly<Record<string, string | number>>): string {
  return fragment.replaceAll(/@([A-Z_]+)@/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`remote script: nothing for ${place}`);
    return String(value);
  });
}

const ENVIRONMENT = fill(SH.environment, { VENDOR_FOLDERS: EXTRA_PATH });
const LIMITER: Readonly<Record<TimeoutCommand, string>> = {
  gnu: SH.limiterGnu,
  busybox: SH.limiterBusybox,
  watchdog: SH.limiterWatchdog,
};

function setup(plan: { readonly nonce: string; readonly toolTimeoutSecs: number }): string {
  return fill(SH.setup, {
    LIMITS: fill(SH.limits, { SHELL_KIB: MAX_SHELL_KIB }),
    NONCE: plan.nonce,
    TIMEOUT_SECS: Math.max(1, Math.round(plan.toolTimeoutSecs)),
    OUTPUT: SH.output,
    PARTS: fill(SH.parts, { STDERR_BYTES: MAX_STDERR_BYTES }),
  });
}

/** Commands one after the other; one that does nothing where there is none, since sh has no empty body. */
function sequence(commands: readonly string[]): string {
  return commands.filter((command) => command !== "").join(";") || ":";
}

function commandOf(part: Part, executable: string | null): string {
  return executable === null ? part.command : withTool(part.command, executable);
}

/** Runs one part and marks its end. */
function statement(part: Part, executable: string | null): string {
  if (part.kind !== "program")
    return sequence([shellPart(part, executable), fill(SH.shellPartEnd, { PART: part.id })]);
  const fragment = part.isBuffered === true ? SH.bufferedProgramPart : SH.programPart;
  return fill(fragment, { PART: part.id, COMMAND: commandOf(part, executable) });
}

/** Without the mark of its end. */
function shellPart(part: ShellPart, executable: string | null): string {
  const fragment = part.kind === "buffered-shell" ? SH.bufferedShellPart : SH.shellPart;
  return fill(fragment, { PART: part.id, COMMAND: commandOf(part, executable) });
}

function statements(parts: readonly Part[], executable: string | null): string {
  return sequence(parts.map((part) => statement(part, executable)));
}

function toolStatements(tools: readonly ToolParts[]): string {
  return sequence(
    tools
      .filter(({ parts }) => parts.length > 0)
      .map(({ parts, executable, unlessAsleep }) => {
        const run = statements(parts, executable);
        if (unlessAsleep === undefined) return run;
        const { shim, wakes } = unlessAsleep;
        return fill(SH.unlessAsleep, { ASLEEP: asleep(shim, wakes), PARTS: run });
      }),
  );
}

/** A condition: all GPUs of one group of drivers sleep. Then they are listed in place of the tool's parts. */
function asleep(shim: string, wakes: readonly (readonly string[])[]): string {
  const part = asleepPart(shim);
  return wakes.map((drivers) => fill(SH.asleep, { PART: part, DRIVERS: drivers.join(" ") })).join(" || ");
}

/** The function that this condition calls; nothing where no tool needs it. */
function allAsleep(isNeeded: boolean): string {
  return isNeeded ? fill(SH.allAsleep, { STATUS_FILE: "power/runtime_status" }) : ":";
}

function needsAsleep(tools: readonly ToolParts[]): boolean {
  return tools.some(({ parts, unlessAsleep }) => parts.length > 0 && unlessAsleep !== undefined);
}

/** The first script of a session (sh/bootstrap.sh): one line that any login shell hands to /bin/sh unharmed. */
export function bootstrapScript(plan: BootstrapPlan): string {
  const { gnu, busybox, watchdog } = LIMITER;
  return fill(SH.bootstrap, {
    ENVIRONMENT,
    SETUP: setup(plan),
    DETECT_LIMITER: fill(SH.detectLimiter, { GNU: gnu, BUSYBOX: busybox, WATCHDOG: watchdog }),
    HOST_PARTS: sequence(
      plan.systems.map(({ uname, probe }) =>
        fill(SH.hostParts, { SYSTEM: uname, PARTS: statements(probe, null) }),
      ),
    ),
    KEPT_FACTS: fill(SH.keptFacts, {
      BOOT_ID_FILE: "/proc/sys/kernel/random/boot_id",
      KEPT: `"${plan.kept?.state ?? "-"}"`,
      KEPT_VALUES: plan.kept?.assignments ?? ":",
    }),
    FIND_PROGRAM: SH.findProgram,
    TOOL_STATE: plan.candidates.length === 0 ? ":" : SH.toolState,
    ALL_ASLEEP: allAsleep(plan.candidates.some(({ wakes }) => wakes.length > 0)),
    TOOLS: sequence(plan.candidates.map(toolSearch)),
    FOUND_BEFORE: plan.foundBefore ? "-" : "",
    PCI_DEVICES:
      plan.candidates.length === 0
        ? ":"
        : fill(SH.pciPart, { PCI_PART: PCI_DEVICES, LIST_PCI_DEVICES: SH.listPciDevices }),
    LAST: plan.stay ? SH.stay : SH.leave,
  });
}

/** Looks for one tool and probes it where it is found. */
function toolSearch({ shim, group, executables, path, probe, lastResort, wakes }: ToolCandidate): string {
  const [first, ...others] = probe;
  const name = group ?? "all";
  const search =
    path === null
      ? fill(SH.searchProgram, { NAMES: executables.join(" ") })
      : fill(SH.givenProgram, { PATH: shellWord(path) });
  const probing =
    first === undefined
      ? ":"
      : fill(SH.probe, {
          FIRST: firstProbe(first),
          GROUP: name,
          OTHERS: statements(others, SH.foundProgram),
        });
  const mayWake = wakes.length > 0 && first !== undefined;
  const tool = fill(lastResort === undefined ? SH.toolParts : SH.lastResort, {
    GROUP: name,
    FIND: lastResort?.isHere ?? search,
    FOUND_AS: lastResort !== undefined ? executables.join(" ") : path === null ? SH.foundName : GIVEN,
    SHIM: shim,
    PROBE:
      mayWake && group !== null
        ? fill(SH.probeUnlessAsleep, {
            ASLEEP: asleep(shim, wakes),
            GROUP: name,
            PROBE: probing,
          })
        : probing,
  });
  // all-smi reports more than these GPUs: where it must not run, other tools are tried.
  return mayWake && group === null
    ? fill(SH.unlessAsleep, { ASLEEP: asleep(shim, wakes), PARTS: tool })
    : tool;
}

/** The first part of a probe, whose status decides whether the others are asked. */
function firstProbe(part: Part): string {
  return part.kind === "program"
    ? sequence([statement(part, SH.foundProgram), SH.programProbeEnd])
    : sequence([shellPart(part, SH.foundProgram), fill(SH.shellProbeEnd, { PART: part.id })]);
}

/** Text for a shell that stays: defines what a tick does. */
export function tickDefinitions(plan: TickPlan): string {
  const tick = fill(plan.isGuarded ? SH.guardedTickFunction : SH.tickFunction, {
    PARTS: statements(plan.system, null),
    TOOLS: toolStatements(plan.tools),
  });
  const isAsleep = needsAsleep(plan.tools) ? [allAsleep(true)] : [];
  const guard = plan.isGuarded ? [SH.guard] : [];
  return [setup(plan), LIMITER[plan.limiter], ...guard, ...isAsleep, tick, ""].join("\n");
}

/** The line that asks for one tick. */
export function tickLine(tick: number): string {
  return `${SH.tickLine.replace("@TICK@", String(tick))}\n`;
}

/** One tick as a script of its own, for hosts that keep no shell open. */
export function tickScript(plan: TickPlan, tick: number): string {
  return fill(SH.tickScript, {
    ENVIRONMENT,
    SETUP: setup(plan),
    LIMITER: LIMITER[plan.limiter],
    ALL_ASLEEP: allAsleep(needsAsleep(plan.tools)),
    PARTS: statements(plan.system, null),
    TOOLS: toolStatements(plan.tools),
    TICK: tick,
  });
}

/** A bare shell with the bootstrap's environment, for a session whose first shell hangs. */
export const BARE_SHELL_SCRIPT = fill(SH.bareShell, { ENVIRONMENT });

/** The same for a shell that takes scripts by standard input: an exec would lose what it has read ahead. */
export const BARE_INPUT_SCRIPT = ENVIRONMENT;

/** For login shells that would change a quoted script (xonsh): it comes by standard input, one line. */
export const SHELL_FOR_INPUT = "/bin/sh -s";

/** Runs a program until the channel's input ends, and ends with it when it ends by itself (sh/hold.sh). */
export function holdCommand(command: string, executable: string): string {
  const program = withTool(command, executable);
  return shellCommand(fill(SH.hold, { ENVIRONMENT, PROGRAM: program }));
}
