/** A host on a real sshd, or dropbear, whose vendor tool misbehaves; sampled as the fleet samples it. */
import { writeFileSync } from "node:fs";
import type { SampleOptions } from "../../src/contract/options.js";
import type { Section } from "../../src/contract/record.js";
import { fleetHosts } from "../../src/fleet/hosts.js";
import { assignHostIds } from "../../src/fleet/identity.js";
import type { LiveHost } from "../../src/host/link.js";
import { realClock } from "../../src/lib/clock.js";
import type { Sample } from "../../src/remote/session.js";
import { shimsToTry } from "../../src/shims/registry.js";
import type { Dropbear } from "./dropbear.js";
import { fakeNvidiaSmi } from "./fake-tools.js";
import { testOptions, testPlan, testShared } from "./host-plan.js";
import type { ProcessEntry } from "./processes.js";
import type { Sshd } from "./sshd.js";

/** An nvidia-smi that does `fault` once the file `on` is there, and answers one GPU elsewhere. */
export function faultyNvidiaSmi(on: string, fault: string): string {
  return fakeNvidiaSmi({ before: `if [ -e ${on} ]; then ${fault}; fi` });
}

export interface Reached {
  readonly live: LiveHost;
  readonly first: Sample;
  sample(tick: number): Promise<Sample>;
  close(): Promise<void>;
}

interface ReachOptions {
  readonly include?: readonly Section[];
  readonly toolTimeoutSecs?: number;
  readonly fallback?: readonly string[];
  readonly holdDriver?: SampleOptions["holdDriver"];
  /** Called with each note for the operator. */
  readonly note?: (message: string) => void;
  readonly intervalMs?: number;
}

/** Connects, probes and takes the first sample, over whatever its sshd allows. Rejects with HostError. */
export async function reach(server: Sshd | Dropbear, options: ReachOptions = {}): Promise<Reached> {
  const known = server.knownHostsFile;
  const shared = testShared();
  const ssh = testOptions({ keyFiles: [server.userKey.file], knownHostsFile: known });
  const plan = testPlan(
    { hostname: "127.0.0.1", port: server.port, user: server.user, userKnownHostsFiles: [known] },
    ssh,
  );
  const target = { user: server.user, host: "127.0.0.1", port: server.port, labels: {}, origin: "test" };
  const fallback = options.fallback ?? ["nvidia-smi"];
  const sample: SampleOptions = {
    include: new Set<Section>(options.include ?? ["gpu", "cpu", "memory"]),
    fallback,
    toolTimeoutSecs: options.toolTimeoutSecs ?? 1,
    redact: false,
    holdDriver: options.holdDriver ?? "auto",
  };
  const shims = await shimsToTry(fallback);
  const note = options.note ?? (() => undefined);
  const intervalMs = options.intervalMs ?? 500;
  const [host] = fleetHosts(
    assignHostIds([{ target, plan }]),
    { ssh, sample, shims, intervalMs, debug: note },
    { ...shared, clock: realClock },
  );
  if (host === undefined) throw new Error("no host");
  const { live, first } = await host.reach(AbortSignal.timeout(60_000));
  return {
    live,
    first,
    sample: (tick) => live.sample(tick),
    close: async () => {
      await live.close();
      shared.close();
    },
  };
}

/** The summary of a reading that tests compare: the GPUs' utilization, whether memory is there, each error's section and kind. */
export function gist({ reading }: Sample): {
  readonly gpus: readonly (number | null)[] | null;
  readonly memory: boolean;
  readonly errors: readonly string[];
} {
  const { gpus, memory } = reading.sections;
  return {
    gpus: gpus?.map((gpu) => gpu.utilization) ?? null,
    memory: (memory?.[0]?.total_bytes ?? 0) > 0,
    errors: reading.errors.map(({ section, kind }) => `${section} ${kind}`),
  };
}

/** The processes of the sessions that are ours or the tool's: the persistent shells, and all that match `tool`. */
export function remains(server: Sshd | Dropbear, tool: RegExp): readonly ProcessEntry[] {
  return server
    .processes()
    .filter(({ command }) => tool.test(command) || /sh -s$|sh -c LC_ALL/.test(command));
}

export function switchOn(file: string): void {
  writeFileSync(file, "");
}
