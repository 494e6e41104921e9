/** The soak's faults: one a second, drawn by a seeded generator, each undone after some seconds. */
import { rmSync, writeFileSync } from "node:fs";
import { signalPid } from "../support/processes.js";
import { seeded } from "../support/seeded-random.js";
import type { SoakFleet, SoakHost } from "./soak-fleet.js";

interface Fault {
  readonly name: string;
  /** How often it is drawn beside the others. */
  readonly weight: number;
  /** Does it. Returns what undoes it, or null where nothing is to be undone. */
  begin(host: SoakHost, soak: Soaked): (() => void) | null;
}

interface Soaked {
  readonly fleet: SoakFleet;
  readonly random: () => number;
  readonly watcherPid: number;
  /** Restarts that are under way. */
  readonly restarts: Set<Promise<void>>;
}

/** A shell text in the tool's place, while it lasts. */
function toolFault(name: string, script: string): Fault {
  return {
    name,
    weight: 1,
    begin: ({ toolFault: file }) => {
      writeFileSync(file, `${script}\n`);
      return () => rmSync(file, { force: true });
    },
  };
}

const FAULTS: readonly Fault[] = [
  {
    name: "connection reset",
    weight: 3,
    begin: ({ relay }) => {
      relay.reset();
      return null;
    },
  },
  {
    name: "connection ended",
    weight: 2,
    begin: ({ relay }) => {
      relay.end();
      return null;
    },
  },
  {
    name: "black hole",
    weight: 2,
    begin: ({ relay }) => {
      relay.hold();
      return () => relay.release();
    },
  },
  {
    name: "reset and refused",
    weight: 1,
    begin: ({ relay }) => {
      relay.refuse(true);
      relay.reset();
      return () => relay.refuse(false);
    },
  },
  {
    name: "bytes that no server sent",
    weight: 2,
    begin: ({ relay }) => {
      relay.spoil();
      return null;
    },
  },
  {
    name: "a session's process killed",
    weight: 3,
    begin: (_, soaked) => {
      const pid = anyProcess(soaked);
      if (pid !== null) signalPid(pid, "SIGKILL");
      return null;
    },
  },
  {
    name: "a session's process stopped",
    weight: 2,
    begin: (_, soaked) => {
      const pid = anyProcess(soaked);
      if (pid === null) return null;
      signalPid(pid, "SIGSTOP");
      return () => signalPid(pid, "SIGCONT");
    },
  },
  {
    name: "sshd restarted",
    weight: 0.3,
    begin: (_, { fleet, random, restarts }) => {
      const restart = fleet.restart(Math.floor(random() * fleet.serverCount));
      restarts.add(restart);
      void restart.finally(() => restarts.delete(restart));
      return null;
    },
  },
  {
    name: "the watcher itself stopped",
    weight: 0.2,
    begin: (_, { watcherPid }) => {
      signalPid(watcherPid, "SIGSTOP");
      return () => signalPid(watcherPid, "SIGCONT");
    },
  },
  toolFault("a tool that hangs", "exec sleep 613"),
  toolFault("a tool that fails", "echo 'NVIDIA-SMI has failed' >&2; exit 9"),
  toolFault("a tool that prints half a row", "printf '0, GPU-6e3c'; exit 0"),
  toolFault("a tool that prints garbage", "head -c 65536 /dev/urandom; exit 0"),
  toolFault("a tool that prints 20 MiB", "yes '0, GPU-1, NVIDIA H100' | head -c 20971520; exit 0"),
];

const TOTAL_WEIGHT = FAULTS.reduce((sum, { weight }) => sum + weight, 0);
/** A fault that lasts ends after 1 to this many seconds. */
const MAX_LAST_SECS = 12;

function anyProcess({ fleet, random }: Soaked): number | null {
  const all = fleet.sessionProcesses();
  return all[Math.floor(random() * all.length)]?.pid ?? null;
}

export class RandomFaults {
  readonly #soaked: Soaked;
  /** What undoes the faults that last, by host; a host has one of them at a time. */
  readonly #undo = new Map<SoakHost, { readonly end: () => void; readonly timer: NodeJS.Timeout }>();
  readonly #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(fleet: SoakFleet, watcherPid: number, seed: number) {
    this.#soaked = { fleet, watcherPid, random: seeded(seed), restarts: new Set() };
  }

  /** One a second from now on. */
  start(): void {
    this.#timer = setInterval(() => this.#one(), 1000);
  }

  /** No more of them; those that last are undone, and restarts awaited. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { end, timer } of this.#undo.values()) {
      clearTimeout(timer);
      end();
    }
    this.#undo.clear();
    await Promise.all(this.#soaked.restarts);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  #one(): void {
    const { fleet, random } = this.#soaked;
    const fault = this.#draw();
    const host = fleet.hosts[Math.floor(random() * fleet.hosts.length)];
    const lastMs = 1000 * (1 + random() * (MAX_LAST_SECS - 1));
    if (host === undefined || this.#undo.has(host)) return;
    const end = fault.begin(host, this.#soaked);
    this.#counts.set(fault.name, (this.#counts.get(fault.name) ?? 0) + 1);
    if (end === null) return;
    const timer = setTimeout(() => {
      this.#undo.delete(host);
      end();
    }, lastMs);
    this.#undo.set(host, { end, timer });
  }

  #draw(): Fault {
    let left = this.#soaked.random() * TOTAL_WEIGHT;
    const drawn = FAULTS.find(({ weight }) => (left -= weight) < 0) ?? FAULTS[0];
    if (drawn === undefined) throw new Error("no fault to draw");
    return drawn;
  }
}
