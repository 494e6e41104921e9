/**
 * What is kept of a host between runs (docs/cache.md): facts that stay as they are while it runs, never a reading. The script
 * compares on the host whether they still hold. Pure; cache/ has the files.
 */
import type { Shim, ToolFacts } from "../shims/kit/shim.js";
import { areHostFacts, hostAssignment, type HostFacts } from "../system/kept-host-facts.js";
import { shimOf, type Judged } from "./probe.js";
import type { KeptInScript } from "./script-plan.js";

/** What no comparison shows (a wrapper of a tool that was replaced) is seen after this time at the latest. */
export const MAX_FACTS_AGE_MS = 3_600_000;
/** Clocks are set back now and then. */
const MAX_FUTURE_MS = 60_000;
/** The boot id (proc_sys_kernel(5)) and the host's name. */
const MACHINE = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12} [\w.-]{1,64}$/;

export interface KeptFacts {
  readonly machine: string;
  /** By this machine's clock: when the oldest of them was read. */
  readonly readAtMs: number;
  readonly host: HostFacts | null;
  readonly tools: ReadonlyMap<string, ToolFacts>;
}

/** Where the facts of one host are kept. Neither rejects nor throws. */
export interface FactsPlace {
  read(): Promise<unknown>;
  write(facts: unknown): void;
}

/** Facts as they were written; null where they are too old or could not have been written by this program. */
export function keptFactsIn(value: unknown, shims: readonly Shim[], nowMs: number): KeptFacts | null {
  if (!isPlainObject(value)) return null;
  const { machine, readAtMs, host, tools } = value;
  if (typeof machine !== "string" || !MACHINE.test(machine) || typeof readAtMs !== "number") return null;
  if (!(readAtMs <= nowMs + MAX_FUTURE_MS && readAtMs >= nowMs - MAX_FACTS_AGE_MS)) return null;
  const known = new Map<string, ToolFacts>();
  for (const shim of shims) {
    const facts = isPlainObject(tools) ? toolFactsIn(tools[shim.id]) : null;
    if (facts !== null && assignmentsOf(shim, facts) !== null) known.set(shim.id, facts);
  }
  return { machine, readAtMs, host: hostFactsIn(host), tools: known };
}

function hostFactsIn(value: unknown): HostFacts | null {
  if (!isPlainObject(value)) return null;
  const { state, text } = value;
  const facts = typeof state === "string" && typeof text === "string" ? { state, text } : null;
  return facts !== null && areHostFacts(facts) ? facts : null;
}

function toolFactsIn(value: unknown): ToolFacts | null {
  if (!isPlainObject(value)) return null;
  const { state, values } = value;
  if (typeof state !== "string" || !isPlainObject(values)) return null;
  if (!Object.values(values).every((each) => typeof each === "string")) return null;
  return { state, values: values as ToolFacts["values"] };
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As JSON has them. */
export function factsToWrite({ machine, readAtMs, host, tools }: KeptFacts): unknown {
  return { machine, readAtMs, host, tools: Object.fromEntries(tools) };
}

/** For the first script; null: it begins with nothing. */
export function inScript(kept: KeptFacts | null, shims: readonly Shim[]): KeptInScript | null {
  if (kept === null || !MACHINE.test(kept.machine)) return null;
  const assignments = shims.flatMap((shim) => {
    const facts = kept.tools.get(shim.id);
    return (facts === undefined ? null : assignmentsOf(shim, facts)) ?? [];
  });
  if (kept.host !== null) assignments.push(hostAssignment(kept.host));
  return assignments.length === 0 ? null : { state: kept.machine, assignments: assignments.join("; ") };
}

function assignmentsOf(shim: Shim, facts: ToolFacts): string | null {
  return shim.assignmentsOf?.(facts) ?? null;
}

/** What a probe has shown. */
export interface Shown {
  readonly machine: string | null;
  /** Undefined: the host was not asked; null: what it answered may not be kept. */
  readonly host: HostFacts | null | undefined;
  readonly judged: readonly Judged[];
}

/** What to keep after a probe; null where that is what was kept before, or nothing. */
export function factsAfter(kept: KeptFacts | null, shown: Shown, nowMs: number): KeptFacts | null {
  const { machine, judged } = shown;
  if (machine === null || !MACHINE.test(machine)) return null;
  const before = kept?.machine === machine ? kept : null;
  const host = shown.host === undefined ? (before?.host ?? null) : shown.host;
  const tools = new Map(before?.tools);
  for (const each of judged) {
    const facts = each.kind === "usable" || each.kind === "poor" ? each.facts : undefined;
    if (facts === undefined) tools.delete(shimOf(each).id);
    else tools.set(shimOf(each).id, facts);
  }
  const all = [host, ...tools.values()].filter((facts) => facts !== null);
  const old = [before?.host, ...(before?.tools.values() ?? [])].filter((facts) => facts !== null);
  if (all.length === 0 || (all.length === old.length && all.every((facts) => old.includes(facts))))
    return null;
  const readAtMs = before !== null && all.some((facts) => old.includes(facts)) ? before.readAtMs : nowMs;
  return { machine, readAtMs, host, tools };
}
