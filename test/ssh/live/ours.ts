/** Our side of a scenario: config files to connector to `true`, as the program goes. */
import { HostError, UsageError } from "../../../src/contract/errors.js";
import type { SshOptions } from "../../../src/contract/ssh-options.js";
import type { Target } from "../../../src/contract/target.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { localEnvironment } from "../../../src/ssh/config/local-environment.js";
import { createHostConnector } from "../../../src/ssh/host-connector.js";
import { planTarget } from "../../../src/ssh/plan/plan-target.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { run } from "../../support/connected.js";
import { testOptions, testShared } from "../../support/host-plan.js";
import { REASON_OF_CODE, type Outcome } from "./outcome.js";

export interface OurRun {
  readonly configFile: string;
  readonly keyFiles: readonly string[];
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  readonly client: SshOptions["client"];
}

export interface OurOutcome {
  readonly outcome: Outcome;
  /** Which program spoke SSH; null when nobody was reached. */
  readonly client: "ssh2" | "openssh" | null;
}

/** One attempt with state of its own, so that nothing is remembered from scenario to scenario. */
export async function askUs(request: OurRun): Promise<OurOutcome> {
  const shared = testShared();
  try {
    const options = testOptions({
      keyFiles: request.keyFiles,
      configFile: request.configFile,
      client: request.client,
      timeoutMs: 5_000,
    });
    const target = { host: request.target, labels: {}, origin: "--ssh" };
    const plan = await planOf(target, options, request);
    const connector = createHostConnector({ target, plan, options }, shared);
    const connection = await connector.connect(AbortSignal.timeout(20_000));
    try {
      const { end } = await run(connection, "true");
      const status = end.kind === "exit" ? end.code : 255;
      return { outcome: { kind: "reached", status }, client: connection.client };
    } finally {
      await connection.close();
    }
  } catch (error) {
    return { outcome: refusal(error), client: null };
  } finally {
    shared.close();
  }
}

async function planOf(target: Target, options: SshOptions, request: OurRun): Promise<HostPlan> {
  const environment = localEnvironment(request.env);
  const config = await loadConfig({ kind: "file", path: request.configFile }, environment);
  return await planTarget(target, options, config, environment);
}

function refusal(error: unknown): Outcome {
  if (error instanceof UsageError) return { kind: "refused", reason: "config", message: error.message };
  if (!(error instanceof HostError)) throw error;
  // Without ssh2's own class: by the system's ssh it is a plain failure.
  const noneInCommon = error.failure.code === "protocol-error" && /in common|no matching/.test(error.message);
  const reason = noneInCommon ? "no-common-algorithm" : REASON_OF_CODE[error.failure.code];
  if (reason === null) throw error;
  const { message, fix, where, tried } = error.failure;
  const lines = [message, `fix: ${fix ?? "-"}`, `where: ${where ?? "-"}`, ...(tried ?? [])].join("\n");
  return { kind: "refused", reason, message: `${error.failure.code}: ${lines}` };
}
