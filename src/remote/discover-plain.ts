/** A host that runs no script of ours: what it can tell, asked by plain commands. */
import type { ProbeContext, Shim } from "../shims/kit/shim.js";
import { chooseSources } from "./choose.js";
import {
  hasNative,
  missingParts,
  type Discovery,
  type Found,
  type SessionOptions,
  type Ways,
} from "./found.js";
import { probePlain } from "./plain.js";

/** `said` is what the host answered to the bootstrap. */
export async function discoverPlain(
  { lanes, commands }: Ways,
  { sample, plainSystems, clock }: SessionOptions,
  shims: readonly Shim[],
  said: string,
): Promise<Discovery> {
  const context: ProbeContext = { include: sample.include, mode: "plain" };
  const begun = clock.nowMs();
  lanes.plain();
  const { system, judged, outputs } = await probePlain(commands, plainSystems, shims, context, said);
  // Without an accelerator asked for, the host's own sections are enough.
  const isBare = shims.length === 0 && system !== null;
  const sources = isBare ? [] : chooseSources(judged, shims, undefined, said);
  const own = hasNative(sources) ? null : system;
  const found: Found = {
    sources,
    system: own?.sampler(outputs, sample.include) ?? null,
    systemId: system?.id ?? null,
    unread: "the account runs single commands alone, no shell that could read it",
    limiter: "watchdog",
  };
  for (const [tool, { parts }] of missingParts(sources, outputs, new Set()))
    for (const [id, output] of await commands.run(parts, tool.executable)) outputs.set(id, output);
  return { found, outputs, firsts: new Map(), latencyMs: clock.nowMs() - begun, hung: [] };
}
