/** Real networks that lose, delay, spoil or refuse packets, and name servers that fail. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { signalPid } from "../../support/processes.js";
import type { Sshd } from "../../support/sshd.js";
import { runnable } from "../../test-files.js";
import { failed, FRAMES, type Expected, type FaultyHost, type HostCase } from "./fault-case.js";
import { hasNetem, Machine, type Link, type Network } from "./network.js";
import { hostAt, ownFile, serve } from "./servers.js";

const LOST = failed("disconnected", "connection-lost");
const FROZEN = failed("timeout", "keepalive-timeout");
const NO_ANSWER = failed("timeout", "connect-timeout");
const NO_WAY = failed("unreachable", "network-unreachable");
const NO_NAME = failed("unreachable", "dns-not-found");

const PORT = 22;
/** How long a network that is only bad must not end a connection. */
const LASTS_MS = 12_000;
const LARGE = "-m length --length 600:65535";

/** A host of the network whose own link has the fault. */
interface LinkCase {
  readonly name: string;
  readonly expected: Expected;
  /** Lines of sh on the host; `add` is "-A" at the begin and "-D" at the end of the fault. */
  readonly rules: (link: Link, add: "-A" | "-D") => string;
  /** There from the start. */
  readonly isFirst?: boolean;
  readonly lastsMs?: number;
}

const both = (rule: string) => (link: Link, add: string) =>
  `iptables ${add} INPUT -s ${link.ours} ${rule}\niptables ${add} OUTPUT -d ${link.ours} ${rule}`;
const inwards = (rule: string) => (link: Link, add: string) =>
  `iptables ${add} INPUT -p tcp -s ${link.ours} ${rule}`;
const outwards = (rule: string) => (link: Link, add: string) =>
  `iptables ${add} OUTPUT -p tcp -d ${link.ours} ${rule}`;
/** A queueing discipline of the host's end, towards us. */
const queue = (kind: string) => (link: Link, add: string) =>
  `tc qdisc ${add === "-A" ? "add" : "del"} dev ${link.theirEnd} root ${add === "-A" ? kind : ""}`;

const LINK_CASES: readonly LinkCase[] = [
  { name: "packets are dropped both ways (iptables)", expected: FROZEN, rules: both("-j DROP") },
  { name: "packets to the host are dropped", expected: FROZEN, rules: inwards("-j DROP") },
  { name: "packets to us are dropped", expected: FROZEN, rules: outwards("-j DROP") },
  {
    name: "a firewall answers host-prohibited",
    expected: FROZEN,
    rules: inwards("-j REJECT --reject-with icmp-host-prohibited"),
  },
  {
    name: "a firewall answers with a reset",
    expected: LOST,
    rules: inwards("-j REJECT --reject-with tcp-reset"),
  },
  { name: "the host's link is down", expected: FROZEN, rules: linkState },
  {
    name: "every fifth packet is lost, each way",
    expected: FRAMES,
    lastsMs: LASTS_MS,
    rules: both("-m statistic --mode random --probability 0.2 -j DROP"),
  },
  {
    name: "64 kbit/s towards us",
    expected: FRAMES,
    lastsMs: LASTS_MS,
    rules: queue("tbf rate 64kbit burst 4kb latency 400ms"),
  },
  {
    name: "a firewall drops all from the start",
    expected: NO_ANSWER,
    rules: inwards("-j DROP"),
    isFirst: true,
  },
  {
    name: "a firewall answers host-prohibited from the start",
    expected: NO_WAY,
    rules: inwards("-j REJECT --reject-with icmp-host-prohibited"),
    isFirst: true,
  },
  {
    name: "a firewall answers with a reset from the start",
    expected: failed("unreachable", "connection-refused"),
    rules: inwards("-j REJECT --reject-with tcp-reset"),
    isFirst: true,
  },
  {
    name: "large packets are dropped (a wrong MTU): the key exchange hangs",
    expected: failed("timeout", "handshake-timeout"),
    rules: outwards(`${LARGE} -j DROP`),
    isFirst: true,
  },
];

function linkState(link: Link, add: "-A" | "-D"): string {
  return add === "-A"
    ? `ip link set ${link.theirEnd} down`
    : `ip link set ${link.theirEnd} up\nip addr replace ${link.theirs}/24 dev ${link.theirEnd}`;
}

const NETEM_CASES: readonly LinkCase[] = [
  ["20 % of the packets lost (netem)", "loss 20%"],
  ["250 ms of delay (netem)", "delay 250ms"],
  ["packets out of order (netem)", "delay 20ms reorder 25% 50%"],
  ["every fifth packet twice (netem)", "duplicate 20%"],
  ["1 % of the packets spoiled (netem)", "corrupt 1%"],
].map(([name = "", kind]) => ({
  ...{ name, expected: FRAMES, lastsMs: LASTS_MS },
  rules: queue(`netem ${kind}`),
}));

function onLink(network: Network, server: Sshd, { rules, isFirst, ...rest }: LinkCase): HostCase {
  return {
    ...rest,
    arrange: () => {
      const link = network.link();
      const set = (add: "-A" | "-D") => (): void => {
        network.hosts.sh(rules(link, add));
      };
      if (isFirst === true) set("-A")();
      return Promise.resolve(
        hostAt(server, [`HostName ${link.theirs}`], {
          ...(isFirst === true ? {} : { begin: set("-A") }),
          end: set("-D"),
        }),
      );
    },
  };
}

/** Another machine takes over the address, as after a reboot: it knows nothing of our connection. */
function moved(network: Network, server: Sshd): HostCase {
  return {
    name: "the address goes to a machine that does not know the connection",
    expected: LOST,
    arrange: async (): Promise<FaultyHost> => {
      const link = network.link();
      const other = await Machine.start();
      await serve({ within: other.within, addresses: ["0.0.0.0"], port: PORT });
      return hostAt(server, [`HostName ${link.theirs}`], {
        begin: () => network.move(link, other),
        end: () => undefined,
        stop: () => {
          other.stop();
          return Promise.resolve();
        },
      });
    },
  };
}

/** A firewall forgets the connection and drops its packets; a new one is let through while the fault lasts. */
function forgotten(network: Network, server: Sshd): HostCase {
  return {
    name: "a firewall forgets the connection (half open)",
    expected: FROZEN,
    arrange: () => {
      const link = network.link();
      return Promise.resolve(
        hostAt(server, [`HostName ${link.theirs}`], {
          begin: () => {
            const port = /:(\d+)\s+\S+:22\s/.exec(
              network.watcher.sh(`ss -Htn state established dst ${link.theirs}`),
            )?.[1];
            if (port === undefined) throw new Error("there is no connection to forget");
            network.hosts.sh(
              `iptables -A INPUT -p tcp -s ${link.ours} --sport ${port} -j DROP\n` +
                `iptables -A OUTPUT -p tcp -d ${link.ours} --dport ${port} -j DROP`,
            );
          },
          end: () => undefined,
        }),
      );
    },
  };
}

/** A host by its name: the name server's answer for its link, as name-server.ts takes it. */
interface NameCase {
  readonly name: string;
  readonly expected: Expected;
  readonly answer: (link: Link) => string;
  /** On the host, before anything connects. */
  readonly rules?: (link: Link) => string;
}

const NAME_CASES: readonly NameCase[] = [
  {
    name: "its IPv6 address is a black hole, its IPv4 address answers",
    expected: FRAMES,
    answer: ({ theirs, theirs6 }) => `${theirs6},${theirs}`,
    rules: ({ theirs6 }) => `ip6tables -A INPUT -d ${theirs6} -p tcp -j DROP`,
  },
  {
    name: "its IPv6 address refuses, its IPv4 address answers",
    expected: FRAMES,
    answer: ({ theirs, theirs6 }) => `${theirs6},${theirs}`,
    rules: ({ theirs6 }) => `ip6tables -A INPUT -d ${theirs6} -p tcp -j REJECT --reject-with tcp-reset`,
  },
  {
    name: "the first of two IPv4 addresses is a black hole",
    expected: FRAMES,
    answer: ({ theirs, ours }) => `${ours.replace(/\.1$/, ".3")},${theirs}`,
    rules: ({ ours, theirEnd }) =>
      `ip addr add ${ours.replace(/\.1$/, ".3")}/24 dev ${theirEnd}\n` +
      `iptables -A INPUT -p tcp -d ${ours.replace(/\.1$/, ".3")} -j DROP`,
  },
  { name: "the name server says that there is no such name", expected: NO_NAME, answer: () => "nxdomain" },
  { name: "the name server fails (SERVFAIL)", expected: NO_NAME, answer: () => "servfail" },
  { name: "the name server never answers", expected: NO_ANSWER, answer: () => "nothing" },
  { name: "the name server takes 3 s", expected: FRAMES, answer: ({ theirs }) => `slow:${theirs}` },
];

const nameOf = (index: number): string => `host-${index}.example`;

/** `ssh` tries the next address of a name when this has passed (ConnectTimeout); the built-in client after 250 ms. */
const NEXT_ADDRESS = "ConnectTimeout 4";
const LIMITED = NAME_CASES.filter(({ name }) => name.includes("is a black hole"));

/** The cases of both clients, on links of one network with one sshd and one name server, which run until `stop`. */
export class NetworkCases {
  private constructor(
    private readonly network: Network,
    private readonly server: Sshd,
    private readonly nameServer: ChildProcess,
    readonly healthy: FaultyHost,
    /** What the program is to be run by. */
    readonly within: readonly string[],
  ) {}

  static async start(network: Network): Promise<NetworkCases> {
    const server = await serve({
      ...{ within: network.hosts.within, addresses: ["0.0.0.0", "::"], port: PORT },
      config: ["MaxSessions 100"],
    });
    const answers = NAME_CASES.map(({ answer, rules }, index) => {
      const link = network.link();
      if (rules !== undefined) network.hosts.sh(rules(link));
      return `${nameOf(index)}=${answer(link)}`;
    });
    const resolv = ownFile("resolv.conf");
    writeFileSync(resolv, "nameserver 127.0.0.1\noptions timeout:20 attempts:1\n");
    const mount = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
    return new NetworkCases(
      network,
      server,
      await startNameServer(network, answers),
      hostAt(server, [`HostName ${network.link().theirs}`]),
      [...network.watcher.within, "unshare", "-m", "sh", "-c", mount, "sh", resolv],
    );
  }

  /** What the built-in client is to get. */
  all(): readonly HostCase[] {
    const { network, server } = this;
    return [
      ...[...LINK_CASES, ...(hasNetem() ? NETEM_CASES : [])].map((each) => onLink(network, server, each)),
      moved(network, server),
      forgotten(network, server),
      ...this.#unreached(),
      ...this.#named([]),
    ];
  }

  /** What the system's `ssh` must get as well: whatever hinders a connection from the start. */
  forSystemClient(): readonly HostCase[] {
    const { network, server } = this;
    return [
      ...LINK_CASES.filter(({ isFirst }) => isFirst === true).map((each) => onLink(network, server, each)),
      ...this.#unreached(),
      ...this.#named(LIMITED),
    ];
  }

  stop(): void {
    signalPid(this.nameServer.pid ?? 0, "SIGKILL");
  }

  #unreached(): readonly HostCase[] {
    return [
      this.#at("an address that nobody has", NO_WAY, this.network.link().theirs.replace(/\.2$/, ".77")),
      this.#at("an address without a route", NO_WAY, "198.19.0.1"),
    ];
  }

  #named(limited: readonly NameCase[]): readonly HostCase[] {
    return NAME_CASES.map((each, index) =>
      this.#at(each.name, each.expected, nameOf(index), limited.includes(each) ? [NEXT_ADDRESS] : []),
    );
  }

  #at(name: string, expected: Expected, address: string, more: readonly string[] = []): HostCase {
    return {
      name,
      expected,
      arrange: () => Promise.resolve(hostAt(this.server, [`HostName ${address}`, ...more])),
    };
  }
}

async function startNameServer(network: Network, names: readonly string[]): Promise<ChildProcess> {
  const file = runnable(fileURLToPath(new URL("name-server.ts", import.meta.url)));
  const [program = "", ...args] = network.watcher.within;
  const loader = file.endsWith(".ts") ? ["--import", "tsx"] : [];
  const child = spawn(program, [...args, process.execPath, ...loader, file, ...names], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}
