/** Texts of the remote side of the step log (contract/step-log.ts). They are built only where the log is on. */
import type { PartOutput, Shim } from "../shims/kit/shim.js";
import type { HostFacts } from "../system/kept-host-facts.js";
import { endMessage, hungPart } from "./ended.js";
import type { Found } from "./found.js";
import type { Answer } from "./lane.js";
import type { KeptFacts } from "./kept-facts.js";
import { isReadable, shimOf, toolsOf, type Judged } from "./probe.js";

/** The first script of a probe. */
export function bootstrapStep(script: string, shims: readonly Shim[]): string {
  const ids = shims.map(({ id }) => id).join(", ");
  return `bootstrap sent: ${Buffer.byteLength(script)} bytes, tools to look for: ${ids === "" ? "none" : ids}`;
}

/** `what` is the question: the bootstrap or a tick. */
export function answerStep(what: string, { frame: { outputs }, end, latencyMs }: Answer): string {
  if (end.kind === "refused") return `${what} not asked: no channel: ${endMessage(end)}`;
  let bytes = 0;
  for (const { stdout, stderr } of outputs.values())
    bytes += Buffer.byteLength(stdout) + Buffer.byteLength(stderr);
  const late = [...outputs].filter(([, output]) => output.end.kind === "timeout").map(([part]) => part);
  const got = `${outputs.size} parts, ${bytes} bytes${late.length === 0 ? "" : `, timed out: ${late.join(", ")}`}`;
  const ms = latencyMs.toFixed(1);
  if (end.kind === "whole") return `${what} answered in ${ms} ms: ${got}`;
  if (end.kind === "hung")
    return `${what} not answered in ${ms} ms: the shell hangs in ${hungPart(outputs) ?? "an unknown part"}: ${got}`;
  return `${what}: ${endMessage(end)} after ${ms} ms: ${got}`;
}

/** What a probe chose. */
export function probedStep(
  { sources, hasNoAccelerator, systemId, limiter }: Found,
  transport: string,
  mode: string,
): string {
  const tools = toolsOf(sources).map((tool) =>
    tool.kind === "broken" ? `${tool.shim.id} (fails: ${tool.message})` : tool.executable,
  );
  const none = hasNoAccelerator ? "none (the PCI bus shows no accelerator)" : "none";
  const list = tools.length === 0 ? none : tools.join(", ");
  return `tools: ${list}; system ${systemId ?? "unknown"}; timeouts by ${limiter}; transport ${transport}, channel ${mode}`;
}

/** Which facts of an earlier run the host found unchanged. */
export function keptStep(
  kept: KeptFacts,
  host: HostFacts | null | undefined,
  judged: readonly Judged[],
): string {
  const held = judged.flatMap((each) => {
    const { id } = shimOf(each);
    const facts = isReadable(each) ? each.facts : undefined;
    return facts !== undefined && facts === kept.tools.get(id) ? [id] : [];
  });
  if (host !== null && host === kept.host) held.unshift("host");
  return `facts of an earlier run that hold: ${held.length === 0 ? "none" : held.join(", ")}`;
}

export function cooldownStep(part: string, { end }: PartOutput): string {
  return `part ${part} is paused: ${end.kind}`;
}
