/**
 * What a program asks of one host, recorded by the login shell and given again to a shell of this machine: what a tick
 * costs a host, without SSH. Any build can be measured so, since nothing of it is known but what it sent.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DRIVER_VERSION as STAND_IN_VERSION } from "../fleet/fake-gpus.js";
import { startMetered } from "./cpu-meter.js";

/** The stand-in for nvidia-smi has no driver, whose version shows whether kept facts still hold. */
const DRIVER_VERSION = "/sys/module/nvidia/version";

/** A login shell that keeps what it is given, of a host whose NVIDIA driver has a version. */
export function makeRecordingShell(dir: string): string {
  const shell = join(dir, "recording-shell");
  const version = join(dir, "driver-version");
  mkdirSync(dir, { recursive: true });
  writeFileSync(version, `${STAND_IN_VERSION}\n`);
  const script = [
    "#!/bin/sh",
    `command=$(printf %s "$2" | sed "s#${DRIVER_VERSION}#${version}#g")`,
    `printf %s "$command" >${dir}/$$.script`,
    `tee ${dir}/$$.input | /bin/sh -c "$command"`,
    "",
  ].join("\n");
  writeFileSync(shell, script);
  chmodSync(shell, 0o755);
  return shell;
}

/** What a shell is given: its script, and its standard input up to the first tick of those that are counted. */
export interface Session {
  readonly script: string;
  readonly input: string;
  /** The line of a usual tick. */
  readonly tick: string;
}

/** As sshd does, without which our shell has no guard, and starts each program by `timeout`. */
const AS_SESSION_LEADER = "setsid";

const TICK_LINE = /^\w+ \d+\n/gm;

/**
 * The session with the most ticks of those that the shell of `dir` has recorded; its last tick is a usual one. Nothing of
 * them is left there.
 */
export function takeRecording(dir: string): Session {
  const sessions = readdirSync(dir)
    .filter((name) => name.endsWith(".input"))
    .map((name) => ({ name, input: readFileSync(join(dir, name), "utf8") }))
    .sort((a, b) => ticksIn(b.input).length - ticksIn(a.input).length);
  const [longest] = sessions;
  const last = longest === undefined ? undefined : ticksIn(longest.input).at(-1);
  if (longest === undefined || last === undefined) throw new Error(`no ticks were recorded in ${dir}`);
  const script = readFileSync(join(dir, longest.name.replace(/input$/, "script")), "utf8");
  removeRecordings(dir);
  return { script, input: longest.input.slice(0, last.index), tick: last[0] };
}

/** The script of a run of one reading that the shell of `dir` has recorded. Nothing of it is left there. */
export function takeFirstScript(dir: string): string {
  const scripts = readdirSync(dir)
    .filter((name) => name.endsWith(".script"))
    .map((name) => readFileSync(join(dir, name), "utf8"))
    .sort((a, b) => b.length - a.length);
  removeRecordings(dir);
  const [longest] = scripts;
  if (longest === undefined) throw new Error(`no script was recorded in ${dir}`);
  return longest;
}

/** Nothing that was recorded so far is taken. */
export function removeRecordings(dir: string): void {
  for (const name of readdirSync(dir)) if (/\.(?:input|script)$/.test(name)) rmSync(join(dir, name));
}

function ticksIn(input: string): readonly RegExpExecArray[] {
  return [...input.matchAll(TICK_LINE)];
}

export interface TickCost {
  /** User and system time, programs included. */
  readonly cpuUs: number;
  /** Bytes of the answer. */
  readonly bytes: number;
}

/** Means of `ticks` ticks: those of a run with them less those of a run without. `path`: where its programs are. */
export async function tickCost(session: Session, ticks: number, path: string): Promise<TickCost> {
  const without = await run(session, 0, path);
  const withTicks = await run(session, ticks, path);
  return {
    cpuUs: (withTicks.cpuUs - without.cpuUs) / ticks,
    bytes: (withTicks.bytes - without.bytes) / ticks,
  };
}

async function run({ script, input, tick }: Session, ticks: number, path: string): Promise<TickCost> {
  const stdin = input + tick.repeat(ticks);
  const shell = startMetered([AS_SESSION_LEADER, "/bin/sh", "-c", script], { stdin, env: { PATH: path } });
  let bytes = 0;
  shell.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  const { cpuUs } = await shell.ended;
  return { cpuUs, bytes };
}

/** What a script alone costs, the shell that runs it included: the mean of `times` runs. */
export async function scriptCost(script: string, times: number, path: string): Promise<TickCost> {
  const without = await runScript(script, 0, path);
  const withScripts = await runScript(script, times, path);
  return {
    cpuUs: (withScripts.cpuUs - without.cpuUs) / times,
    bytes: (withScripts.bytes - without.bytes) / times,
  };
}

const REPEAT = 'n=$1; while [ $n -gt 0 ]; do /bin/sh -c "$0" </dev/null; n=$((n-1)); done';

async function runScript(script: string, times: number, path: string): Promise<TickCost> {
  const shell = startMetered(["/bin/sh", "-c", REPEAT, script, String(times)], { env: { PATH: path } });
  let bytes = 0;
  shell.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  const { cpuUs } = await shell.ended;
  return { cpuUs, bytes };
}

export interface TickProcesses {
  readonly forks: number;
  readonly programs: number;
}

const FORKS = "clone,clone3,fork,vfork";

/** Processes that a tick forks and programs that it starts; null where there is no strace, or it may not be used. */
export function tickProcesses(session: Session, ticks: number, path: string): TickProcesses | null {
  const counts = [0, ticks].map((count) => traced(session, count, path));
  const [without, withTicks] = counts;
  if (without === null || without === undefined || withTicks === null || withTicks === undefined) return null;
  return {
    forks: (withTicks.forks - without.forks) / ticks,
    programs: (withTicks.programs - without.programs) / ticks,
  };
}

/** The same of a script alone; its own shell is one of the programs. */
export function scriptProcesses(script: string, path: string): TickProcesses | null {
  return tracedRun(["/bin/sh", "-c", script], "", path);
}

function traced({ script, input, tick }: Session, ticks: number, path: string): TickProcesses | null {
  return tracedRun([AS_SESSION_LEADER, "/bin/sh", "-c", script], input + tick.repeat(ticks), path);
}

function tracedRun(argv: readonly string[], input: string, path: string): TickProcesses | null {
  const flags = ["-f", "-qq", "-e", `trace=${FORKS},execve`, "-e", "signal=none", "-o", "|cat >&3"];
  const traced = spawnSync("strace", [...flags, ...argv], {
    input,
    env: { PATH: path, HOME: "/nonexistent" },
    stdio: ["pipe", "ignore", "ignore", "pipe"],
    maxBuffer: 256 * 2 ** 20,
  });
  const text = traced.output[3]?.toString() ?? "";
  if (traced.error !== undefined || !/execve\(/.test(text)) return null;
  // A call that another process's interrupts has two lines, and only the first has the arguments.
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return {
    forks: count(/^\d+ +(?:clone3?|v?fork)\(/gm),
    programs: count(/^\d+ +execve\(/gm) - count(/^\d+ +execve\(.* = -1 /gm),
  };
}
