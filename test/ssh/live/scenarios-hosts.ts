/** Live scenarios of host keys, algorithms, the config's ways to a host, jumps and faults. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scenario, Side } from "./scenario.js";

const MAIN = "127.0.0.1";
const REACHED = "reached 0";
const UNKNOWN = "refused: host-key-unknown";
const CHANGED = "refused: host-key-changed";
const REVOKED = "refused: host-key-revoked";

function hashed(side: Side): string {
  const file = side.file("to-hash", side.place.known());
  execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
  return readFileSync(file, "utf8");
}

/** The place's lines with another name field. */
function named(side: Side, name: string): string {
  return side.place.known().replaceAll(/^\S+/gm, name);
}

/** A line for the place with a key that is not the server's. */
function otherKey(side: Side, key: string): string {
  const { place, world } = side;
  const { publicLine } = world.keys[key] ?? { publicLine: "" };
  return `[${place.address}]:${place.port} ${publicLine}\n`;
}

function only(side: Side, type: string): string {
  return side.place
    .known()
    .split("\n")
    .filter((line) => line.includes(` ${type} `))
    .map((line) => `${line}\n`)
    .join("");
}

const policy = (value: string) => (): readonly string[] => [`StrictHostKeyChecking ${value}`];
const nothing = (): string => "";

export const hostKeyScenarios: readonly Scenario[] = [
  { name: "host key: hashed", at: MAIN, known: hashed, expect: REACHED },
  {
    name: "host key: a comma list",
    at: MAIN,
    known: (s) => named(s, `elsewhere,[${MAIN}]:${s.place.port}`),
    expect: REACHED,
  },
  { name: "host key: a wildcard", at: MAIN, known: (s) => named(s, `[127.0.0.?]:*`), expect: REACHED },
  {
    name: "host key: a wildcard that is negated",
    at: MAIN,
    known: (s) => named(s, `[*]:*,![${MAIN}]:*`),
    expect: UNKNOWN,
  },
  { name: "host key: known without its port", at: MAIN, known: (s) => named(s, MAIN), expect: REACHED },
  {
    name: "host key: known for another port",
    at: MAIN,
    known: (s) => named(s, `[${MAIN}]:1`),
    expect: UNKNOWN,
  },
  {
    name: "host key: revoked",
    at: MAIN,
    known: (s) => named(s, `@revoked [${MAIN}]:${s.place.port}`),
    expect: REVOKED,
  },
  {
    name: "host key: known and revoked",
    at: MAIN,
    known: (s) => `${s.place.known()}${named(s, "@revoked *")}`,
    expect: REVOKED,
  },
  { name: "host key: changed", at: MAIN, known: (s) => otherKey(s, "wrong"), expect: CHANGED },
  {
    name: "host key: changed, beside the right one",
    at: MAIN,
    known: (s) => `${otherKey(s, "wrong")}${only(s, "ssh-ed25519")}`,
    expect: REACHED,
  },
  { name: "host key: known by RSA only", at: MAIN, known: (s) => only(s, "ssh-rsa"), expect: REACHED },
  {
    name: "host key: known by ECDSA only",
    at: MAIN,
    known: (s) => only(s, "ecdsa-sha2-nistp256"),
    expect: REACHED,
  },
  {
    name: "host key: known by a type that the server lacks",
    at: "rsa host",
    known: (s) => otherKey(s, "wrong"),
    expect: CHANGED,
  },
  {
    name: "host key: CRLF and comments",
    at: MAIN,
    known: (s) => `# a comment\r\n\r\n${s.place.known().replaceAll("\n", "\r\n")}`,
    expect: REACHED,
  },
  {
    name: "host key: garbage lines first",
    at: MAIN,
    known: (s) => `garbage\n|1|x|y ssh-rsa z\n\n${s.place.known()}`,
    expect: REACHED,
  },
  {
    name: "host key: HostKeyAlias",
    at: MAIN,
    host: () => ["HostKeyAlias pseudonym"],
    known: (s) => named(s, "pseudonym"),
    expect: REACHED,
  },
  {
    name: "host key: HostKeyAlias that is not known",
    at: MAIN,
    host: () => ["HostKeyAlias pseudonym"],
    expect: UNKNOWN,
  },
  {
    name: "host key: CheckHostIP by a name",
    at: MAIN,
    host: () => ["CheckHostIP yes", "HostName localhost", "AddressFamily inet"],
    known: (s) => named(s, `[localhost]:${s.place.port}`),
    expect: REACHED,
  },
  {
    name: "host key: CheckHostIP passes over loopback addresses",
    at: MAIN,
    host: () => ["CheckHostIP yes", "HostName localhost", "AddressFamily inet"],
    known: (s) => `${named(s, `[localhost]:${s.place.port}`)}${otherKey(s, "wrong")}`,
    expect: REACHED,
  },
  {
    name: "host key: in the second of two files",
    at: MAIN,
    host: (s) => [`UserKnownHostsFile ${s.file("empty", "")} ${s.file("second", s.place.known())}`],
    expect: REACHED,
  },
  {
    name: "host key: in the global file",
    at: MAIN,
    host: (s) => [
      "UserKnownHostsFile /dev/null",
      `GlobalKnownHostsFile ${s.file("global", s.place.known())}`,
    ],
    expect: REACHED,
  },
  {
    name: "host key: UserKnownHostsFile none",
    at: MAIN,
    host: () => ["UserKnownHostsFile none"],
    expect: UNKNOWN,
  },
  {
    name: "host key: UserKnownHostsFile missing",
    at: MAIN,
    host: (s) => [`UserKnownHostsFile ${join(s.dir, "gone")}`],
    expect: UNKNOWN,
  },
  {
    name: "host key: RevokedHostKeys names it",
    at: MAIN,
    host: (s) => [`RevokedHostKeys ${s.file("revoked", s.place.known().replaceAll(/^\S+ /gm, ""))}`],
    expect: REVOKED,
  },
  {
    name: "host key: RevokedHostKeys missing",
    at: MAIN,
    host: (s) => [`RevokedHostKeys ${join(s.dir, "gone")}`],
    expect: REVOKED,
  },
  { name: "policy: ask, unknown", at: MAIN, host: policy("ask"), known: nothing, expect: UNKNOWN },
  { name: "policy: yes, unknown", at: MAIN, host: policy("yes"), known: nothing, expect: UNKNOWN },
  {
    name: "policy: accept-new, unknown",
    at: MAIN,
    host: policy("accept-new"),
    known: nothing,
    expect: REACHED,
  },
  {
    name: "policy: accept-new, changed",
    at: MAIN,
    host: policy("accept-new"),
    known: (s) => otherKey(s, "wrong"),
    expect: CHANGED,
  },
  { name: "policy: no, unknown", at: MAIN, host: policy("no"), known: nothing, expect: REACHED },
  {
    name: "policy: no, changed",
    at: MAIN,
    host: policy("no"),
    known: (s) => otherKey(s, "wrong"),
    expect: REACHED,
    stays: "ssh goes on with a warning when a key has changed and the check is off; we never do",
  },
  {
    name: "policy: no, revoked",
    at: MAIN,
    host: policy("no"),
    known: (s) => named(s, "@revoked *"),
    expect: REACHED,
    stays: "ssh goes on with a revoked key when the check is off; we never do",
  },
  {
    name: "NoHostAuthenticationForLocalhost",
    at: MAIN,
    host: () => ["NoHostAuthenticationForLocalhost yes"],
    known: nothing,
    expect: REACHED,
  },
  {
    name: "certificate of the host: known CA",
    at: "certified host",
    known: (s) => `@cert-authority * ${s.world.caLine}\n`,
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "certificate of the host: for another name",
    at: "certified for another",
    known: (s) => `@cert-authority * ${s.world.caLine}\n`,
    expect: UNKNOWN,
  },
  {
    name: "certificate of the host: expired",
    at: "certificate expired",
    known: (s) => `@cert-authority * ${s.world.caLine}\n`,
    expect: UNKNOWN,
  },
  {
    name: "certificate of the host: CA for other hosts",
    at: "certified host",
    known: (s) => `@cert-authority *.example ${s.world.caLine}\n`,
    expect: UNKNOWN,
  },
  { name: "certificate of the host: no CA, plain key known", at: "certified host", expect: REACHED },
  {
    name: "certificate of the host: CA and plain key known",
    at: MAIN,
    known: (s) => `@cert-authority * ${s.world.caLine}\n${s.place.known()}`,
    expect: REACHED,
    client: "openssh",
  },
];

/** What ssh2 cannot do: auto must go by the system's ssh. */
export const systemScenarios: readonly Scenario[] = [
  {
    name: "KnownHostsCommand",
    at: MAIN,
    known: nothing,
    host: (s) => [`KnownHostsCommand /bin/cat ${s.file("by-command", s.place.known())}`],
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "KnownHostsCommand that knows nothing",
    at: MAIN,
    known: nothing,
    host: () => ["KnownHostsCommand /bin/true"],
    expect: UNKNOWN,
  },
  { name: "KnownHostsCommand none", at: MAIN, host: () => ["KnownHostsCommand none"], expect: REACHED },
  {
    name: "VerifyHostKeyDNS, known by file",
    at: MAIN,
    host: () => ["VerifyHostKeyDNS yes"],
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "PKCS11Provider that is not there",
    at: MAIN,
    host: () => ["PKCS11Provider /nonexistent/lib.so"],
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "GSSAPIAuthentication without a ticket",
    at: MAIN,
    host: () => ["GSSAPIAuthentication yes"],
    expect: REACHED,
  },
  {
    name: "HostbasedAuthentication that the server does not take",
    at: MAIN,
    key: "wrong",
    host: () => ["HostbasedAuthentication yes"],
    expect: "refused: auth",
  },
  {
    name: "an agent key constrained to this host",
    at: MAIN,
    key: null,
    host: (s) => [`IdentityAgent ${s.world.agent("constrained to main")}`],
    expect: REACHED,
    client: "openssh",
  },
  {
    name: "an agent key constrained to another host",
    at: "rsa host",
    key: null,
    host: (s) => [`IdentityAgent ${s.world.agent("constrained to main")}`],
    expect: "refused: auth",
  },
  {
    name: "a control master that is not there",
    at: MAIN,
    host: (s) => ["ControlMaster no", `ControlPath ${join(s.dir, "master")}`],
    expect: REACHED,
  },
  {
    name: "RemoteCommand in the config",
    at: MAIN,
    host: () => ["RemoteCommand echo x"],
    expect: "refused: config",
  },
  {
    name: "LocalForward of a port that is taken",
    at: MAIN,
    host: (s) => [`LocalForward ${s.place.port} localhost:1`],
    expect: REACHED,
  },
  {
    name: "ForwardAgent, ForwardX11 and RequestTTY",
    at: MAIN,
    host: () => ["ForwardAgent yes", "ForwardX11 no", "RequestTTY force"],
    expect: REACHED,
  },
];

export const algorithmScenarios: readonly Scenario[] = [
  {
    name: "HostKeyAlgorithms ssh-rsa against ed25519",
    at: MAIN,
    host: () => ["HostKeyAlgorithms ecdsa-sha2-nistp521"],
    expect: "refused: host-key-algorithm",
  },
  {
    name: "HostKeyAlgorithms rsa-sha2-512",
    at: MAIN,
    host: () => ["HostKeyAlgorithms rsa-sha2-512"],
    expect: REACHED,
  },
  {
    name: "HostKeyAlgorithms takes ed25519 away",
    at: MAIN,
    host: () => ["HostKeyAlgorithms -ssh-ed25519*"],
    expect: REACHED,
  },
  {
    name: "HostKeyAlgorithms in an order of its own, known by another",
    at: MAIN,
    host: () => ["HostKeyAlgorithms rsa-sha2-512,ssh-ed25519"],
    known: (s) => only(s, "ssh-ed25519"),
    expect: CHANGED,
  },
  { name: "a server with SHA-1 host keys only", at: "sha1 host", expect: "refused: host-key-algorithm" },
  {
    name: "a server with SHA-1 host keys only, allowed",
    at: "sha1 host",
    host: () => ["HostKeyAlgorithms +ssh-rsa"],
    expect: REACHED,
  },
  { name: "an ECDSA host key", at: "ecdsa host", expect: REACHED },
  { name: "an RSA host key", at: "rsa host", expect: REACHED },
  { name: "all of sshd's own key exchanges", at: "default kex", expect: REACHED },
  {
    name: "post-quantum kex only",
    at: "pq only",
    host: () => ["KexAlgorithms +sntrup761x25519-sha512@openssh.com"],
    expect: REACHED,
    client: "openssh",
  },
  { name: "post-quantum kex only, not allowed", at: "pq only", expect: "refused: no-common-algorithm" },
  { name: "umac only", at: "umac only", expect: REACHED, client: "openssh" },
  {
    name: "MACs of the config are umac only",
    at: MAIN,
    host: () => ["Ciphers aes128-ctr", "MACs umac-128-etm@openssh.com"],
    expect: REACHED,
    client: "openssh",
  },
  { name: "CBC only", at: "cbc only", expect: "refused: no-common-algorithm" },
  { name: "CBC only, allowed", at: "cbc only", host: () => ["Ciphers +aes128-cbc"], expect: REACHED },
  { name: "SHA-1 kex only", at: "old kex", expect: "refused: no-common-algorithm" },
  {
    name: "SHA-1 kex only, allowed",
    at: "old kex",
    host: () => ["KexAlgorithms +diffie-hellman-group14-sha1"],
    expect: REACHED,
  },
  { name: "chacha20 only", at: "chacha only", expect: REACHED },
  { name: "Ciphers aes256-gcm", at: MAIN, host: () => ["Ciphers aes256-gcm@openssh.com"], expect: REACHED },
  {
    name: "MACs hmac-sha2-512",
    at: MAIN,
    host: () => ["Ciphers aes128-ctr", "MACs hmac-sha2-512"],
    expect: REACHED,
  },
  { name: "a cipher that nobody knows", at: MAIN, host: () => ["Ciphers nope"], expect: "refused: config" },
  { name: "Compression yes", at: MAIN, host: () => ["Compression yes"], expect: REACHED },
  {
    name: "RequiredRSASize above the host key's",
    at: "rsa host",
    host: () => ["RequiredRSASize 4096"],
    expect: "refused: host-key-algorithm",
  },
];

export const faultScenarios: readonly Scenario[] = [
  { name: "fault: closed port", at: "closed port", expect: "refused: refused" },
  { name: "fault: silent", at: "silent", host: () => ["ConnectTimeout 2"], expect: "refused: timeout" },
  {
    name: "fault: HTTP",
    at: "http",
    expect: "refused: lost",
    stays: "ssh prints only that the connection was closed; we report the server's message",
  },
  { name: "fault: closes at once", at: "closes at once", expect: "refused: lost" },
  { name: "fault: resets at once", at: "resets at once", expect: "refused: lost" },
  { name: "fault: banner then close", at: "banner then close", expect: "refused: lost" },
  {
    name: "fault: banner then silence",
    at: "banner then silence",
    expect: "hung",
    stays: "ssh's ConnectTimeout ends with the banner and it waits for ever; our handshake has a deadline",
  },
  { name: "fault: banner then garbage", at: "banner then garbage", expect: "refused: protocol" },
  { name: "fault: SSH 1", at: "ssh 1", expect: "refused: not-ssh" },
  {
    name: "fault: greeting then close",
    at: "a greeting first, then close",
    expect: "refused: lost",
    stays: "ssh prints only that the connection was closed; we report the server's message",
  },
  {
    name: "fault: no such name",
    at: MAIN,
    host: () => ["HostName no-such-host.invalid"],
    expect: "refused: name",
  },
  {
    name: "fault: a reserved address",
    at: MAIN,
    host: () => ["HostName 240.0.0.1"],
    expect: /^refused: (network|refused|timeout)$/,
  },
  {
    name: "fault: a local address that is not ours",
    at: MAIN,
    host: () => ["BindAddress 192.0.2.1"],
    expect: "refused: network",
  },
];
