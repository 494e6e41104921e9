/** Configurations drawn from a seeded grammar: mostly valid, sometimes with a mistake, always the same for a seed. */
import fc from "fast-check";
import type { TypedTarget } from "../../../src/ssh/config/resolve.js";
import type { HandCase } from "./hand-cases.js";

const HOSTS = ["foo", "bar.example.com", "gpu-01", "gpu-02.lab", "10.1.2.3", "FOO", "::1"];
const PATTERNS = [
  "foo",
  "*",
  "gpu-*",
  "gpu-0?",
  "!gpu-01",
  "*.example.com",
  "!foo",
  "10.*",
  "FOO",
  "real",
  "?oo",
  "::1",
];
const USERS = ["root", "bob", "alice", "x y", "svc-gpu"];

const word = fc.constantFrom(
  "a",
  "b.c",
  "x-1",
  "/tmp/k",
  "~/k",
  "%h-%r",
  "%d/k",
  "a b",
  'q"q',
  "${VAR}/x",
  "%%",
  "none",
);
const number = fc.constantFrom("1", "5", "22", "2222", "65535", "+3", "007");
const time = fc.constantFrom("0", "5", "1m", "1h30m", "2D", "none", "3w");
const yesNo = fc.constantFrom("yes", "no", "true", "false", "Yes", "NO");
const algorithm = (...names: string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom("", "+", "-", "^"),
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    )
    .map(([mode, list]) => mode + list.join(","));

const quoted = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(value, fc.constantFrom("plain", "double", "single")).map(([text, style]) => {
    const needs = /[ "']/.test(text) ? (style === "plain" ? "double" : style) : style;
    if (needs === "plain") return text;
    return needs === "double" ? `"${text.replace(/"/g, '\\"')}"` : `'${text}'`;
  });

const words = (value: fc.Arbitrary<string>, most = 3): fc.Arbitrary<string> =>
  fc.array(quoted(value), { minLength: 1, maxLength: most }).map((list) => list.join(" "));

const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Port: number,
  User: quoted(fc.constantFrom(...USERS)),
  HostName: fc.constantFrom("real", "%h.example.org", "Real.Example", "127.1", "0::1", "10.0.0.9", "%%x"),
  IdentityFile: quoted(word),
  CertificateFile: quoted(word),
  IdentitiesOnly: yesNo,
  IdentityAgent: fc.constantFrom("none", "SSH_AUTH_SOCK", "~/a.%h", "$VAR", "${VAR}/s"),
  ProxyJump: fc.constantFrom("none", "j1", "a@j1:22,j2", "ssh://u@j3:2", "[::1]:9", "10.0.0.1"),
  ProxyCommand: fc.constantFrom("none", "nc %h %p", 'x "%h" # y', "- "),
  UserKnownHostsFile: words(fc.constantFrom("~/k", "/k/%h-%p", "a b", "${VAR}/k", "~root/x")),
  GlobalKnownHostsFile: fc.oneof(words(fc.constantFrom("/g", "~/g", "/h")), fc.constant("none")),
  HostKeyAlias: quoted(fc.constantFrom("Alias", "al.ias", "x y")),
  HostKeyAlgorithms: algorithm("ssh-rsa", "ssh-ed25519", "ecdsa*", "rsa-sha2-512", "*cert*"),
  PubkeyAcceptedAlgorithms: algorithm("ssh-rsa", "ssh-ed25519", "sk-*", "ssh-dss"),
  CASignatureAlgorithms: algorithm("ssh-rsa", "ssh-ed25519", "rsa-sha2-*"),
  KexAlgorithms: algorithm("curve25519-sha256", "diffie-hellman-group1-sha1", "ecdh-sha2-nistp256"),
  Ciphers: algorithm("aes128-ctr", "aes256-ctr", "3des-cbc", "aes128-gcm@openssh.com"),
  MACs: algorithm("hmac-sha1", "hmac-sha2-256", "hmac-md5"),
  StrictHostKeyChecking: fc.constantFrom("yes", "no", "ask", "accept-new", "off", "true"),
  HashKnownHosts: yesNo,
  CheckHostIP: yesNo,
  RevokedHostKeys: quoted(word),
  ConnectTimeout: time,
  ConnectionAttempts: number,
  ServerAliveInterval: time,
  ServerAliveCountMax: number,
  AddressFamily: fc.constantFrom("any", "inet", "inet6", "INET"),
  BindAddress: quoted(word),
  Compression: fc.constantFrom("yes", "no"),
  SetEnv: words(fc.constantFrom("A=1", "B=x y", "A=2", "D=%h", "E=")),
  SendEnv: words(fc.constantFrom("LANG", "LC_*", "-LC_*", "-*", "X")),
  CanonicalizeHostname: fc.constantFrom("no", "yes", "always"),
  CanonicalDomains: fc.oneof(
    words(fc.constantFrom("invalid", "nowhere.invalid", "A.Invalid.")),
    fc.constant("none"),
  ),
  CanonicalizeMaxDots: number,
  CanonicalizeFallbackLocal: fc.constantFrom("yes", "yes", "no"),
  IgnoreUnknown: fc.constantFrom("*", "made*", "other", "!made*,*"),
  LogLevel: fc.constantFrom("QUIET", "debug", "DEBUG2"),
  BatchMode: yesNo,
  RekeyLimit: fc.constantFrom("1G", "default", "1G 1h", "512K none", "1.5M"),
  IPQoS: fc.constantFrom("ef", "af21 cs1", "0x20", "none none"),
  ControlPath: quoted(fc.constantFrom("~/c/%C", "none", "%r@%h:%p-%k-%n", "%L%l%i%u%d")),
  ControlPersist: fc.oneof(yesNo, time),
  LocalCommand: fc.constantFrom("none", "run %h", "x  y # z", "%%"),
  LocalForward: fc.constantFrom("8080 a:80", "1 b:2", "[::1]:3 c:4", "/tmp/s /tmp/t"),
  RemoteForward: fc.constantFrom("8080 a:80", "0", "1080"),
  PubkeyAuthentication: fc.constantFrom("yes", "no", "unbound", "host-bound"),
  GSSAPIAuthentication: yesNo,
  VerifyHostKeyDNS: yesNo,
  UpdateHostKeys: yesNo,
  RequestTTY: fc.constantFrom("yes", "no", "force", "auto"),
  Tunnel: fc.constantFrom("yes", "ethernet", "no"),
  EscapeChar: fc.constantFrom("~", "none", "^b", "\\\\"),
  AddKeysToAgent: fc.constantFrom("yes", "ask", "confirm 3m", "10m"),
  ForwardAgent: fc.constantFrom("yes", "no", "$VAR", "/x/%h"),
  RequiredRSASize: number,
  TunnelDevice: fc.constantFrom("any", "1", "2:3", "any:4"),
  StreamLocalBindMask: fc.constantFrom("0177", "22"),
  SyslogFacility: fc.constantFrom("USER", "auth", "LOCAL7"),
};

const layout = fc.constantFrom(
  (key: string, value: string) => `${key} ${value}`,
  (key: string, value: string) => `  ${key.toLowerCase()}\t${value}  `,
  (key: string, value: string) => `${key}=${value}`,
  (key: string, value: string) => `\t${key.toUpperCase()} = ${value}\r`,
  (key: string, value: string) => `${key} ${value} # note`,
  (key: string, value: string) => `"${key}" ${value}`,
);

const MISTAKES = [
  "Bogus 1",
  "MadeUp 2",
  "Port",
  'User "open',
  "Compression yes no",
  "Match",
  "Host a ''",
  "Port 65536",
  "Port -1",
  "Port 0",
  "ConnectTimeout 1y",
  "ConnectTimeout 99999w",
  "HashKnownHosts maybe",
  "IdentityAgent ${NOT_SET_HERE}",
  "ProxyJump j:0",
  "ProxyJump a,,b",
  "ProxyJump foo",
  "HostKeyAlgorithms bogus",
  "Ciphers bogus",
  "StrictHostKeyChecking never",
  "SetEnv C",
  "UserKnownHostsFile a none",
  "CanonicalDomains a..b",
  "RekeyLimit 10",
  "IPQoS bogus",
  "ControlPath %z",
  "LocalForward 5",
  "TunnelDevice x",
  "StreamLocalBindMask 9",
  "SyslogFacility LOCAL8",
  "AddKeysToAgent yes 5",
  "EscapeChar xy",
  "Match host",
  "Match bogus y",
  "Match tagged x",
  "Match all host foo",
  "RemoteCommand run",
  "ConnectionAttempts 0",
  "ServerAliveCountMax x",
  "UserKnownHostsFile ${NOT_SET_HERE}",
  "HostName %p",
  "GlobalKnownHostsFile none none",
  "SendEnv A=b",
  "AddressFamily ipv4",
];

const line = fc.oneof(
  {
    weight: 40,
    arbitrary: fc
      .constantFrom(...Object.keys(VALUES))
      .chain((key) => fc.tuple(layout, VALUES[key] ?? word).map(([lay, value]) => lay(key, value))),
  },
  { weight: 1, arbitrary: fc.constantFrom("# note", "", "   ", "\t# x") },
);

const criterion = fc.oneof(
  fc
    .constantFrom("host", "originalhost", "Host")
    .chain((name) =>
      fc
        .array(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 })
        .map((list) => `${name} ${list.join(",")}`),
    ),
  fc.constantFrom("user root", "user bob,alice", "localuser root", "localuser x", "final", "canonical"),
  fc.constantFrom('exec "test %h = foo"', "exec true", "exec false", 'exec "test %p -gt 22"', "user *"),
);

const header = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 4 })
      .map((list) => `Host ${list.join(" ")}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom("", "", "!"), criterion), { minLength: 1, maxLength: 3 })
      .map((list) => `Match ${list.map(([bang, text]) => bang + text).join(" ")}`),
  },
);

const block = (most: number): fc.Arbitrary<string> =>
  fc.tuple(header, fc.array(line, { maxLength: most })).map(([head, lines]) => [head, ...lines].join("\n"));

const text = fc
  .tuple(fc.array(line, { maxLength: 3 }), fc.array(block(4), { maxLength: 5 }))
  .map(([top, blocks]) => `${[...top, ...blocks].join("\n")}\n`);

/** Now and then a line that ssh refuses, somewhere. */
const mistaken = fc
  .tuple(text, fc.option(fc.constantFrom(...MISTAKES), { freq: 4 }), fc.nat(20))
  .map(([config, mistake, at]) => {
    if (mistake !== null && at % 4 !== 0) return config;
    if (mistake === null) return config;
    const lines = config.split("\n");
    lines.splice(at % lines.length, 0, mistake);
    return lines.join("\n");
  });

const target: fc.Arbitrary<TypedTarget> = fc
  .tuple(
    fc.constantFrom(...HOSTS),
    fc.option(fc.constantFrom("bob", "root")),
    fc.option(fc.constantFrom(22, 2222)),
  )
  .map(([host, user, port]) => ({
    host,
    ...(user === null ? {} : { user }),
    ...(port === null ? {} : { port }),
  }));

const generated: fc.Arbitrary<HandCase> = fc
  .tuple(mistaken, fc.option(mistaken, { freq: 3 }), fc.array(target, { minLength: 1, maxLength: 2 }))
  .map(([config, included, targets]) => ({
    name: "generated",
    config: included === null ? config : `${config}Include @/inc.conf\nHost *\n`,
    ...(included === null ? {} : { files: { "inc.conf": included } }),
    targets,
    env: { VAR: "/var-value" },
  }));

export function generateCases(count: number, seed: number): HandCase[] {
  return fc.sample(generated, { numRuns: count, seed });
}
