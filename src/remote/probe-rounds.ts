/** The rounds of a probe: the first script asks for every tool, and a later one for what a hang or a failure left open. */
import type { PartOutput, ProbeContext, Shim } from "../shims/kit/shim.js";
import { completesKeptFacts, HOST_FACTS, withKeptFacts } from "../system/kept-host-facts.js";
import { hasClosed, hungPart } from "./ended.js";
import { firstScript } from "./first-script.js";
import type { SessionOptions, Ways } from "./found.js";
import type { Frame } from "./frame.js";
import { inScript, type KeptFacts } from "./kept-facts.js";
import { foreignOutput, loginDenial, shellFailure, type LoginDenial } from "./probe-failures.js";
import { isWanted, reachedBy } from "./tools-to-try.js";
import { isReadable, judgeFound, type Judged } from "./probe.js";
import type { TimeoutCommand } from "./script-plan.js";
import { answerStep, bootstrapStep } from "./steps.js";

/** How a host was probed. */
export type Probed =
  | { readonly kind: "shell"; readonly rounds: Rounds }
  /** The host runs no script of ours. `output`: what it answered to the first one. */
  | { readonly kind: "no-shell"; readonly output: string; readonly denial: LoginDenial | null };

/** The results of the rounds so far. A later round asks only what the earlier ones left open. */
export interface Rounds {
  readonly outputs: Map<string, PartOutput>;
  readonly judged: Judged[];
  readonly tried: Set<Shim>;
  readonly hung: Set<string>;
  uname: string | null;
  machine: string | null;
  /** The host's facts were completed by kept ones. */
  isHostKept: boolean;
  limiter: TimeoutCommand | null;
  latencyMs: number;
}

/**
 * Asks the host in rounds until each tool of `wanted` is tried or needs no try. Throws HostError of the probe phase where the shell
 * fails, and what Connection.open throws.
 */
export async function probeInRounds(
  { lanes }: Ways,
  options: SessionOptions,
  wanted: readonly Shim[],
  kept: KeptFacts | null,
): Promise<Probed> {
  const context = shellContext(options, kept);
  const rounds: Rounds = {
    outputs: new Map(),
    judged: [],
    tried: new Set(),
    hung: new Set(),
    uname: null,
    machine: null,
    isHostKept: false,
    limiter: null,
    latencyMs: 0,
  };
  let toTry = wanted;
  let noShell: (Probed & { readonly kind: "no-shell" }) | null = null;
  for (let round = 0; ;) {
    const wasHung = lanes.isHung;
    const hungParts = round === 0 ? rounds.hung : null;
    const asKept = inScript(kept, toTry);
    const script = firstScript(
      options,
      toTry,
      hungParts,
      lanes.nonce,
      rounds.judged.some(isReadable),
      asKept,
    );
    options.step?.("remote", bootstrapStep(script.text, toTry));
    const answer = await lanes.begin(script, 0);
    options.step?.("remote", answerStep("bootstrap", answer));
    rounds.latencyMs += answer.latencyMs;
    const { frame, end } = answer;
    if (frame.uname === null && frame.limiter === null) {
      if (round > 0) break;
      if (noShell !== null) return noShell;
      // The login shell may have changed the quoted script: it is tried once more by standard input.
      const output = foreignOutput(answer);
      const denial = loginDenial(output, end);
      if (denial?.isCertain === true) throw denial.error;
      noShell = { kind: "no-shell", output, denial };
      lanes.byInput();
      continue;
    }
    addFrame(rounds, frame, kept);
    const hung = end.kind === "hung" ? hungPart(frame.outputs) : null;
    if (hung !== null) rounds.hung.add(hung);
    if (hung !== null && !wasHung && rounds.hung.size === 1 && isOwnPart(hung, options)) continue;
    const reached = reachedBy(toTry, frame, context);
    for (const shim of reached) rounds.tried.add(shim);
    rounds.judged.push(
      ...judgeFound(reached, frame.found, rounds.outputs, context, options.sample.toolPaths),
    );
    if (!frame.isWhole && frame.found.length === 0 && round === 0) throw shellFailure(answer);
    toTry = wanted.filter((shim) => !rounds.tried.has(shim) && isWanted(shim, rounds.judged));
    if (toTry.length === 0 || (end.kind === "hung" && wasHung)) break;
    if ((hasClosed(end) || end.kind === "flooded") && !frame.isWhole) break;
    round += 1;
  }
  return { kind: "shell", rounds };
}

export function shellContext({ sample }: SessionOptions, kept: KeptFacts | null): ProbeContext {
  const context: ProbeContext = {
    include: sample.include,
    mode: "shell",
    isWaking: sample.wakeGpus === true,
  };
  return kept === null ? context : { ...context, kept: kept.tools };
}

/** Adds what one answer brought. Kept facts of the host are completed by what it has just read. */
export function addFrame(rounds: Rounds, frame: Frame, kept: KeptFacts | null = null): void {
  rounds.uname ??= frame.uname;
  rounds.machine ??= frame.machine;
  rounds.limiter ??= frame.limiter;
  for (const [id, output] of frame.outputs) rounds.outputs.set(id, output);
  const facts = frame.outputs.get(HOST_FACTS);
  if (facts?.end.kind === "exit" && completesKeptFacts(facts.stdout) && kept !== null && kept.host !== null) {
    rounds.isHostKept = true;
    rounds.outputs.set(HOST_FACTS, { ...facts, stdout: withKeptFacts(facts.stdout, kept.host) });
  }
}

function isOwnPart(part: string, { systems, sample }: SessionOptions): boolean {
  return systems.some((each) => each.probe(sample.include).some(({ id }) => id === part));
}
