/**
 * Machines with links between them that exist nowhere else: network namespaces of the watching machine, of the watched hosts
 * and of a machine that takes over an address. They end with the processes that hold them, whatever ends the test.
 * Addresses are those kept for benchmarks: 198.18.0.0/15 (RFC 2544) and 2001:2::/48 (RFC 5180).
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { signalPid } from "../../support/processes.js";

/** Why there can be none here; null where there can. */
export function missingNetwork(): string | null {
  try {
    const probe = "ip link set lo up && ip link add p0 type veth peer name p1 && iptables -A INPUT -j DROP";
    execFileSync("unshare", ["--net", "sh", "-c", probe], { stdio: "ignore" });
    return null;
  } catch {
    return "SKIPPED LOUDLY: needs root, network namespaces, ip and iptables";
  }
}

/** Whether this kernel can lose, double, swap, spoil and delay packets of a link (tc-netem(8)). */
export function hasNetem(): boolean {
  try {
    execFileSync("unshare", ["--net", "sh", "-c", "tc qdisc add dev lo root netem delay 1ms"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}

/** A machine: a namespace, and how a command is run in it. */
export class Machine {
  readonly within: readonly string[];

  private constructor(private readonly holder: ChildProcess) {
    this.within = ["nsenter", "-t", String(holder.pid), "-n"];
  }

  static async start(): Promise<Machine> {
    const holder = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", HOLD], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(holder.stdout, "data");
    return new Machine(holder);
  }

  get pid(): number {
    return this.holder.pid ?? 0;
  }

  /** Runs lines of sh, the first failure of which is thrown; returns what they print. */
  sh(script: string): string {
    const [program = "", ...args] = this.within;
    return execFileSync(program, [...args, "sh", "-ec", script], { encoding: "utf8" });
  }

  stop(): void {
    signalPid(this.pid, "SIGKILL");
  }
}

const HOLD = "ip link set lo up && echo ready && exec sleep infinity";

/** A link of the watching machine to a host. */
export interface Link {
  readonly ours: string;
  readonly theirs: string;
  readonly theirs6: string;
  /** The names of its two ends. */
  readonly ourEnd: string;
  readonly theirEnd: string;
}

export class Network {
  #links = 0;

  private constructor(
    readonly watcher: Machine,
    readonly hosts: Machine,
  ) {}

  static async start(): Promise<Network> {
    return new Network(await Machine.start(), await Machine.start());
  }

  link(): Link {
    const n = (this.#links += 1);
    const link = {
      ...{ ours: `198.18.${n}.1`, theirs: `198.18.${n}.2`, theirs6: `2001:2:0:${n}::2` },
      ...{ ourEnd: `w${n}`, theirEnd: `h${n}` },
    };
    this.watcher.sh(
      [
        `ip link add ${link.ourEnd} type veth peer name ${link.theirEnd} netns ${this.hosts.pid}`,
        `ip addr add ${link.ours}/24 dev ${link.ourEnd}`,
        `ip addr add 2001:2:0:${n}::1/64 dev ${link.ourEnd} nodad`,
        `ip link set ${link.ourEnd} up`,
      ].join("\n"),
    );
    bringUp(this.hosts, link);
    return link;
  }

  /** The host's end of the link goes to another machine, with its addresses, as when another host takes them over. */
  move(link: Link, to: Machine): void {
    this.hosts.sh(`ip link set ${link.theirEnd} netns ${to.pid}`);
    bringUp(to, link);
  }

  stop(): void {
    this.watcher.stop();
    this.hosts.stop();
  }
}

/** Also after the end was down, which takes its IPv6 address. */
function bringUp(machine: Machine, { theirEnd, theirs, theirs6 }: Link): void {
  machine.sh(
    [
      `ip link set ${theirEnd} up`,
      `ip addr replace ${theirs}/24 dev ${theirEnd}`,
      `ip addr replace ${theirs6}/64 dev ${theirEnd} nodad`,
    ].join("\n"),
  );
}
