/** Live scenarios of the way to a host: the config's own means, jumps and proxy commands; and dropbear. */
import type { Scenario, Side } from "./scenario.js";

const MAIN = "127.0.0.1";
const REACHED = "reached 0";
const DENIED = "refused: auth";
const PROXY = "refused: proxy";

/** A block for a jump host at a place, its keys known. */
function jump(side: Side, name: string, at: string, lines: readonly string[] = []): string[] {
  const place = side.world.place(at);
  const known = side.file(`known-${name}`, place.known());
  return [
    `Host ${name}`,
    ...lines,
    `HostName ${place.address}`,
    `Port ${place.port}`,
    `User ${place.user}`,
    `IdentityFile ${side.world.key("ed25519")}`,
    `UserKnownHostsFile ${known}`,
  ];
}

const via = (name: string) => (): readonly string[] => [`ProxyJump ${name}`];
/** A port forwarder that every test machine has: node itself. */
function carrier(side: Side): string {
  const script = side.file(
    "carrier.mjs",
    'import { connect } from "node:net";\n' +
      "const s = connect(Number(process.argv[3]), process.argv[2]);\n" +
      "process.stdin.pipe(s); s.pipe(process.stdout); s.on('error', () => process.exit(1));\n",
  );
  return `${process.execPath} ${script}`;
}

export const configScenarios: readonly Scenario[] = [
  {
    name: "config: Include",
    at: MAIN,
    key: null,
    host: (s) => [`Include ${s.file("included", `IdentityFile ${s.world.key("ed25519")}\n`)}`],
    expect: REACHED,
  },
  {
    name: "config: Match host",
    at: MAIN,
    key: null,
    rest: (s) => [`Match host ${MAIN}`, `IdentityFile ${s.world.key("ed25519")}`],
    expect: REACHED,
  },
  {
    name: "config: Match originalhost, negated",
    at: MAIN,
    key: null,
    rest: (s) => ["Match !originalhost target", `IdentityFile ${s.world.key("ed25519")}`],
    expect: DENIED,
  },
  {
    name: "config: Match exec that holds",
    at: MAIN,
    key: null,
    rest: (s) => ['Match exec "test 1 = 1"', `IdentityFile ${s.world.key("ed25519")}`],
    expect: REACHED,
  },
  {
    name: "config: Match exec that fails",
    at: MAIN,
    key: null,
    rest: (s) => ["Match exec false", `IdentityFile ${s.world.key("ed25519")}`],
    expect: DENIED,
  },
  {
    name: "config: Match user",
    at: MAIN,
    key: null,
    rest: (s) => [`Match user ${s.world.user}`, `IdentityFile ${s.world.key("ed25519")}`],
    expect: REACHED,
  },
  {
    name: "config: tokens in IdentityFile",
    at: MAIN,
    key: null,
    rest: (s) => [
      "Host target",
      `IdentityFile ${s.world.dir}/%u-none`,
      `IdentityFile ${s.world.key("ed25519").replace("ed25519", "${LIVE_KEY}")}`,
    ],
    env: () => ({ LIVE_KEY: "ed25519" }),
    expect: REACHED,
  },
  {
    name: "config: Host pattern with a negation",
    at: MAIN,
    key: null,
    rest: (s) => ["Host * !target", `IdentityFile ${s.world.key("ed25519")}`],
    expect: DENIED,
  },
  { name: "config: the first value wins", at: MAIN, host: () => ["Port 1"], expect: "refused: refused" },
  {
    name: "config: HostName %h",
    at: MAIN,
    target: MAIN,
    rest: (s) => [
      "Host 127.*",
      "HostName %h",
      `Port ${s.place.port}`,
      `User ${s.place.user}`,
      `IdentityFile ${s.world.key("ed25519")}`,
    ],
    expect: REACHED,
  },
  {
    name: "config: quoted values and key=value",
    at: MAIN,
    key: null,
    host: (s) => [`IdentityFile="${s.world.key("ed25519")}"`],
    expect: REACHED,
  },
  {
    name: "config: an unknown keyword",
    at: MAIN,
    host: () => ["NoSuchKeyword yes"],
    expect: "refused: config",
  },
  {
    name: "config: an unknown keyword that is ignored",
    at: MAIN,
    host: () => ["IgnoreUnknown NoSuch*", "NoSuchKeyword yes"],
    expect: REACHED,
  },
  {
    name: "config: SetEnv and SendEnv",
    at: MAIN,
    host: () => ["SetEnv A=b", "SendEnv LANG"],
    expect: REACHED,
  },
  { name: "config: BindAddress", at: MAIN, host: () => ["BindAddress 127.0.0.9"], expect: REACHED },
  {
    name: "config: AddressFamily inet6",
    at: "::1",
    host: () => ["AddressFamily inet6"],
    needs: "ipv6",
    expect: REACHED,
  },
  { name: "config: an IPv6 address", at: "::1", needs: "ipv6", expect: REACHED },
  {
    name: "config: AddressFamily inet6 for an IPv4 address",
    at: MAIN,
    host: () => ["AddressFamily inet6"],
    expect: "refused: name",
  },
  {
    name: "config: ConnectionAttempts",
    at: "closed port",
    host: () => ["ConnectionAttempts 2"],
    expect: "refused: refused",
  },
  {
    name: "config: CanonicalizeHostname",
    at: MAIN,
    host: () => ["CanonicalizeHostname yes", "CanonicalDomains invalid", "CanonicalizeFallbackLocal yes"],
    expect: REACHED,
  },
];

export const jumpScenarios: readonly Scenario[] = [
  {
    name: "jump: one hop",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: REACHED,
  },
  {
    name: "jump: two hops",
    at: MAIN,
    host: via("hop,hop2"),
    rest: (s) => [...jump(s, "hop", "127.0.0.18"), ...jump(s, "hop2", "127.0.0.23")],
    expect: REACHED,
  },
  {
    name: "jump: a hop with a jump of its own",
    at: MAIN,
    host: via("hop2"),
    rest: (s) => [...jump(s, "hop", "127.0.0.18"), ...jump(s, "hop2", "127.0.0.23", ["ProxyJump hop"])],
    expect: REACHED,
  },
  {
    name: "jump: none wins over a later line",
    at: MAIN,
    host: via("none"),
    rest: () => ["Host target", "ProxyJump nowhere.invalid"],
    expect: REACHED,
  },
  {
    name: "jump: an ssh:// address",
    at: MAIN,
    host: (s) => [`ProxyJump ssh://${s.world.user}@127.0.0.18:${s.world.place("127.0.0.18").port}`],
    rest: (s) => jump(s, "127.0.0.18", "127.0.0.18"),
    expect: REACHED,
  },
  {
    name: "jump: the hop refuses our key",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.19"),
    expect: PROXY,
  },
  {
    name: "jump: the hop is not known",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.18", ["UserKnownHostsFile /dev/null"]),
    expect: PROXY,
  },
  {
    name: "jump: the hop is down",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "closed port"),
    expect: PROXY,
  },
  { name: "jump: the hop has no name", at: MAIN, host: via("hop.invalid"), expect: PROXY },
  {
    name: "jump: the hop forwards nothing",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.17"),
    expect: PROXY,
  },
  {
    name: "jump: the hop may not forward there",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.24"),
    expect: PROXY,
  },
  {
    name: "jump: the target is down",
    at: "closed port",
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: "refused: refused",
  },
  {
    name: "jump: the target has no name",
    at: MAIN,
    host: () => ["ProxyJump hop", "HostName no-such-host.invalid"],
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: "refused: name",
  },
  {
    name: "jump: the target refuses our key",
    at: "127.0.0.19",
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: DENIED,
  },
  {
    name: "jump: the target has changed",
    at: MAIN,
    host: via("hop"),
    known: (s) => `[${MAIN}]:${s.place.port} ${s.world.keys["wrong"]?.publicLine ?? ""}\n`,
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: "refused: host-key-changed",
  },
  {
    name: "jump: the flag -i is not the hop's",
    at: MAIN,
    key: null,
    flags: ["ed25519"],
    host: via("hop"),
    rest: (s) => jump(s, "hop", "127.0.0.18").filter((line) => !line.startsWith("IdentityFile")),
    expect: PROXY,
  },
  {
    name: "jump: over itself",
    at: MAIN,
    host: (s) => [`ProxyJump ${s.place.user}@${MAIN}:${s.place.port}`],
    expect: "refused: config",
  },
  {
    name: "jump: over a host certificate",
    at: MAIN,
    host: via("hop"),
    rest: (s) =>
      jump(s, "hop", "certified host", [
        `UserKnownHostsFile ${s.file("ca", `@cert-authority * ${s.world.caLine}\n`)}`,
      ]),
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "jump: over a post-quantum hop",
    at: MAIN,
    host: via("hop"),
    rest: (s) => jump(s, "hop", "pq only", ["KexAlgorithms +sntrup761x25519-sha512@openssh.com"]),
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "jump: to a post-quantum target",
    at: "pq only",
    host: () => ["ProxyJump hop", "KexAlgorithms +sntrup761x25519-sha512@openssh.com"],
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "proxy command: a carrier",
    at: MAIN,
    host: (s) => [`ProxyCommand ${carrier(s)} %h %p`],
    expect: REACHED,
  },
  {
    name: "proxy command: ssh -W",
    at: MAIN,
    host: (s) => [`ProxyCommand ssh -F ${s.dir}/config -W [%h]:%p hop`],
    rest: (s) => jump(s, "hop", "127.0.0.18"),
    expect: REACHED,
  },
  {
    name: "proxy command: ends at once",
    at: MAIN,
    host: () => ["ProxyCommand sh -c 'echo no way >&2; exit 1'"],
    expect: PROXY,
  },
  {
    name: "proxy command: not there",
    at: MAIN,
    host: () => ["ProxyCommand /nonexistent/nc %h %p"],
    expect: PROXY,
  },
  { name: "proxy command: none", at: MAIN, host: () => ["ProxyCommand none"], expect: REACHED },
  {
    name: "proxy command: wins over a later ProxyJump",
    at: MAIN,
    host: (s) => [`ProxyCommand ${carrier(s)} %h %p`, "ProxyJump nowhere.invalid"],
    expect: REACHED,
  },
];

const BEAR = "dropbear";
const onDropbear = (name: string, expect: string, more: Partial<Scenario> = {}): Scenario => ({
  name: `dropbear: ${name}`,
  at: BEAR,
  expect,
  needs: "dropbear",
  ...more,
});

export const dropbearScenarios: readonly Scenario[] = [
  ...["ed25519", "ecdsa 256", "ecdsa 384", "ecdsa 521", "rsa 2048", "rsa 4096", "rsa pkcs8"].map((key) =>
    onDropbear(`key file ${key}`, REACHED, { key }),
  ),
  onDropbear("a wrong key", DENIED, { key: "wrong" }),
  onDropbear("an encrypted key", DENIED, { key: "encrypted" }),
  onDropbear("an agent", REACHED, {
    key: null,
    host: ({ world }) => [`IdentityAgent ${world.agent("with the key")}`],
  }),
  onDropbear("an agent with an RSA key", REACHED, {
    key: null,
    host: ({ world }) => [`IdentityAgent ${world.agent("with an rsa key")}`],
  }),
  onDropbear("ten agent keys, the right one named", REACHED, {
    key: null,
    host: ({ world }) => [
      `IdentityAgent ${world.agent("with ten keys")}`,
      `IdentityFile ${world.dir}/only-in-agent.pub`,
    ],
  }),
  onDropbear("a user certificate, which it does not know", DENIED, { key: "cert" }),
  onDropbear("an unknown host", "refused: host-key-unknown", { known: () => "" }),
  onDropbear("an unknown host, accept-new", "reached 0", {
    known: () => "",
    host: () => ["StrictHostKeyChecking accept-new"],
  }),
  onDropbear("a changed host key", "refused: host-key-changed", {
    known: (s) => `[127.0.0.1]:${s.place.port} ${s.world.keys["wrong"]?.publicLine ?? ""}\n`,
  }),
  onDropbear("known by RSA only", REACHED, {
    known: (s) =>
      s.place
        .known()
        .split("\n")
        .filter((l) => l.includes(" ssh-rsa "))
        .join("\n") + "\n",
  }),
  onDropbear("known by ECDSA only", REACHED, {
    known: (s) =>
      s.place
        .known()
        .split("\n")
        .filter((l) => l.includes(" ecdsa"))
        .join("\n") + "\n",
  }),
  onDropbear("a user it does not know", DENIED, { host: () => ["User nobody-here"] }),
  onDropbear("behind a jump host", REACHED, { host: via("hop"), rest: (s) => jump(s, "hop", "127.0.0.18") }),
  onDropbear("as a jump host", REACHED, { at: MAIN, host: via("hop"), rest: (s) => jump(s, "hop", BEAR) }),
  onDropbear("Compression", REACHED, { host: () => ["Compression yes"] }),
  onDropbear("aes256-ctr and hmac-sha2-256", REACHED, {
    host: () => ["Ciphers aes256-ctr", "MACs hmac-sha2-256"],
  }),
  onDropbear("no common MAC", "refused: no-common-algorithm", {
    host: () => ["Ciphers aes256-ctr", "MACs hmac-sha2-512-etm@openssh.com"],
  }),
];
