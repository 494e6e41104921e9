/** Texts of the remote side of the step log (contract/step-log.ts). They are built only where the log is on. */
import type { PartOutput, Shim } from "../shims/kit/shim.js";
import { endMessage, hungPart } from "./ended.js";
import type { Found } from "./found.js";
import type { Answer } from "./lane.js";
import { toolsOf } from "./probe.js";

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

export function cooldownStep(part: string, { end }: PartOutput): string {
  return `part ${part} is paused: ${end.kind}`;
}
