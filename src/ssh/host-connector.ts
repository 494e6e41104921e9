/** Connects a host by the client that it needs: ssh2, or the system's `ssh`. */
import type { Connection, Connector } from "../contract/connection.js";
import { HostError, type HostFailure } from "../contract/errors.js";
import type { SshOptions } from "../contract/ssh-options.js";
import type { StepLog } from "../contract/step-log.js";
import type { Target } from "../contract/target.js";
import { ClientChooser, opensshNeeded } from "./choose-client.js";
import { createConnector, type SshShared } from "./connector.js";
import { addedText } from "./known-hosts/append.js";
import { connectOpenssh } from "./openssh/client.js";
import { answersAsMaster, jumpWithoutMasters, liveMaster } from "./openssh/control-master.js";
import { planHostNames, planLabel, type HostPlan } from "./plan/plan.js";
import { offerAlgorithms } from "./ssh2/algorithms.js";

/** ssh cannot be asked to ping when a reading is late: it pings an idle connection this often, which notices a frozen one. */
const KEEPALIVE_SECS = 4;

export interface HostToReach {
  readonly target: Target;
  readonly plan: HostPlan;
  readonly options: SshOptions;
  /** Takes the steps of this host's connections. */
  readonly step?: StepLog | undefined;
}

/** Reaches a host by the client that `--ssh-client` names. One a host, for as long as it is watched. */
export function createHostConnector(host: HostToReach, shared: SshShared): Connector {
  const { plan, options, step } = host;
  const chooser = new ClientChooser(options.client, plan.config);
  const ssh2 = createConnector(plan, shared, step);
  const clients = {
    ssh2: (signal: AbortSignal) => ssh2.connect(signal),
    openssh: (why: string, signal: AbortSignal) => connectBySystem(host, shared, why, signal),
  };
  return {
    connect: async (signal) => {
      if (plan.refusal !== undefined) throw refused(plan.refusal);
      // Only `auto` uses it. A master comes and goes: it is looked for each time.
      const needed = options.client === "auto" ? await needsSystemClient(plan, shared) : null;
      signal.throwIfAborted();
      return await chooser.connect(needed, clients, signal);
    },
  };
}

function refused({ code, phase, message, ...more }: HostFailure): HostError {
  return new HostError(code, phase, message, more);
}

/** Why ssh2 is not enough for the plan or a jump host of it right now, as far as known before connecting; null: it is. */
export async function needsSystemClient(
  plan: HostPlan,
  shared: Pick<SshShared, "knownHosts" | "clock">,
): Promise<string | null> {
  return whatIsNeeded(plan, shared) ?? (await liveMaster(plan, shared.clock));
}

/** The reasons that config and known_hosts give. */
export function whatIsNeeded(plan: HostPlan, shared: Pick<SshShared, "knownHosts">): string | null {
  const known = shared.knownHosts.open(plan.knownHosts);
  const names = planHostNames(plan, null);
  const offer = offerAlgorithms(plan.config, known.knownTypes(names));
  const why = opensshNeeded({ config: plan.config, offer, authority: known.authorityAt(names) });
  if (why !== null || plan.way.kind !== "jump") return why;
  const hopNeeds = whatIsNeeded(plan.way.hop, shared);
  return hopNeeds === null ? null : `jump host ${planLabel(plan.way.hop)}: ${hopNeeds}`;
}

async function connectBySystem(
  { target, plan, options, step }: HostToReach,
  shared: SshShared,
  why: string,
  signal: AbortSignal,
): Promise<Connection> {
  const { clock, random, perAddress } = shared;
  step?.("ssh", `using the system's ssh: ${why}`);
  const via = plan.way.kind === "jump" ? planLabel(plan.way.hop) : null;
  const address = `${plan.host}:${plan.port}`;
  const release = await perAddress.acquire(via ?? address, signal);
  const proxyCommand = jumpWithoutMasters(plan, options.configFile);
  const ownKeepAlive = plan.config.serverAliveIntervalSecs > 0;
  const { countMax } = plan.keepalive;
  const { controlPath } = plan.config;
  try {
    return await connectOpenssh(
      {
        target,
        ssh: options,
        timeoutMs: plan.dialTimeoutMs,
        hostKeyPolicy: plan.hostKeyPolicy,
        ...(proxyCommand === null ? {} : { proxyCommand }),
        ...(controlPath === undefined ? {} : { controlPath }),
        // ssh would wait for a hung one for ever.
        usesMaster: controlPath !== undefined && (await answersAsMaster(controlPath, clock)),
        sessionSettings: plan.config.sessionSettings ?? [],
        keepAlive: ownKeepAlive ? null : { intervalSecs: KEEPALIVE_SECS, countMax },
        clock,
        random,
        step,
        gate: shared.processes,
        onHostKeyAdded: (key) =>
          shared.warn(addedText(target.host, key, plan.knownHosts.userFiles[0] ?? "known_hosts")),
        via,
        why,
      },
      signal,
    );
  } finally {
    release();
  }
}
