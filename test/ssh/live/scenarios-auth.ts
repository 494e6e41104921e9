/** Live scenarios of authentication: key files, agents, certificates, and what servers allow. */
import { join } from "node:path";
import type { Scenario } from "./scenario.js";

const MAIN = "127.0.0.1";
const REACHED = "reached 0";
const DENIED = "refused: auth";

function keyFile(key: string, expect: string, more: Partial<Scenario> = {}): Scenario {
  return { name: `key file: ${key}`, at: MAIN, key, expect, ...more };
}

export const keyScenarios: readonly Scenario[] = [
  keyFile("ed25519", REACHED),
  keyFile("ecdsa 256", REACHED),
  keyFile("ecdsa 384", REACHED),
  keyFile("ecdsa 521", REACHED),
  keyFile("rsa 2048", REACHED),
  keyFile("rsa 4096", REACHED),
  keyFile("rsa pem", REACHED),
  keyFile("rsa pkcs8", REACHED),
  keyFile("ecdsa pem", REACHED),
  keyFile("ecdsa pkcs8", REACHED),
  keyFile("encrypted", DENIED),
  keyFile("encrypted pem", DENIED),
  keyFile("open", DENIED, { name: "key file: readable by others" }),
  keyFile("wrong", DENIED),
  {
    name: "key file: missing",
    at: MAIN,
    key: null,
    host: ({ dir }) => [`IdentityFile ${join(dir, "gone")}`],
    expect: DENIED,
  },
  {
    name: "key file: garbage",
    at: MAIN,
    key: null,
    host: ({ world }) => [`IdentityFile ${join(world.dir, "garbage")}`],
    expect: DENIED,
  },
  {
    name: "key file: the public half only",
    at: MAIN,
    key: null,
    host: ({ world }) => [`IdentityFile ${join(world.dir, "only-ed25519.pub")}`],
    expect: DENIED,
  },
  keyFile("wrong", REACHED, {
    name: "key file: the second of two is right",
    rest: ({ world }) => ["Host target", `IdentityFile ${world.key("ed25519")}`],
  }),
  keyFile("encrypted", REACHED, {
    name: "key file: an encrypted one before the right one",
    rest: ({ world }) => ["Host target", `IdentityFile ${world.key("ed25519")}`],
  }),
  { name: "flag -i only", at: MAIN, key: null, flags: ["ed25519"], expect: REACHED },
  {
    name: "flag -i beside a wrong IdentityFile",
    at: MAIN,
    key: "wrong",
    flags: ["ed25519"],
    expect: REACHED,
  },
  { name: "a wrong flag -i beside the right IdentityFile", at: MAIN, flags: ["wrong"], expect: REACHED },
  {
    name: "IdentitiesOnly with a flag -i",
    at: MAIN,
    key: null,
    flags: ["ed25519"],
    host: () => ["IdentitiesOnly yes"],
    expect: REACHED,
  },
  {
    name: "RequiredRSASize above the key's",
    at: MAIN,
    key: "rsa 2048",
    host: () => ["RequiredRSASize 3072"],
    expect: DENIED,
  },
  { name: "an RSA key of 1024 bits", at: MAIN, key: "rsa 1024", expect: REACHED },
  {
    name: "PubkeyAuthentication no in the config",
    at: MAIN,
    host: () => ["PubkeyAuthentication no"],
    expect: DENIED,
  },
  {
    name: "PubkeyAcceptedAlgorithms without the key's",
    at: MAIN,
    host: () => ["PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256"],
    expect: DENIED,
  },
  {
    name: "PubkeyAcceptedAlgorithms takes the key's away",
    at: MAIN,
    host: () => ["PubkeyAcceptedAlgorithms -ssh-ed25519"],
    expect: DENIED,
  },
  {
    name: "PubkeyAcceptedAlgorithms rsa-sha2-512 only",
    at: MAIN,
    key: "rsa 2048",
    host: () => ["PubkeyAcceptedAlgorithms rsa-sha2-512"],
    expect: REACHED,
  },
  {
    name: "PubkeyAcceptedAlgorithms ssh-rsa only, which the server refuses",
    at: "127.0.0.21",
    key: "rsa 2048",
    host: () => ["PubkeyAcceptedAlgorithms ssh-rsa"],
    expect: DENIED,
  },
  { name: "a server that takes rsa-sha2-512 only", at: "127.0.0.21", key: "rsa 2048", expect: REACHED },
  {
    name: "a server that takes ed25519 only, with an RSA key",
    at: "127.0.0.25",
    key: "rsa 2048",
    expect: DENIED,
  },
  {
    name: "PreferredAuthentications password",
    at: MAIN,
    host: () => ["PreferredAuthentications password"],
    expect: DENIED,
  },
];

const agent =
  (name: string) =>
  ({ world }: { world: { agent(name: string): string } }): string[] => [`IdentityAgent ${world.agent(name)}`];

export const agentScenarios: readonly Scenario[] = [
  { name: "agent: holds the key", at: MAIN, key: null, host: agent("with the key"), expect: REACHED },
  { name: "agent: an RSA key", at: MAIN, key: null, host: agent("with an rsa key"), expect: REACHED },
  { name: "agent: holds nothing", at: MAIN, key: null, host: agent("empty"), expect: DENIED },
  { name: "agent: holds a wrong key", at: MAIN, key: null, host: agent("with a wrong key"), expect: DENIED },
  {
    name: "agent: a wrong key, and the right file",
    at: MAIN,
    host: agent("with a wrong key"),
    expect: REACHED,
  },
  { name: "agent: dead, and the right file", at: MAIN, host: agent("dead"), expect: REACHED },
  { name: "agent: dead, and no file", at: MAIN, key: null, host: agent("dead"), expect: DENIED },
  {
    name: "agent: hung, and the right file",
    at: MAIN,
    host: agent("hung"),
    expect: "hung",
    stays: "ssh waits for the agent for ever; we give it a second and use the file",
  },
  {
    name: "agent: ten keys, the right one is too late",
    at: "127.0.0.23",
    key: null,
    host: agent("with ten keys"),
    expect: DENIED,
  },
  {
    name: "agent: ten keys, the right one is named by its public half",
    at: "127.0.0.23",
    key: null,
    host: (side) => [
      ...agent("with ten keys")(side),
      `IdentityFile ${join(side.world.dir, "only-in-agent.pub")}`,
    ],
    expect: REACHED,
  },
  {
    name: "agent: ten keys, IdentitiesOnly with a key file",
    at: "127.0.0.23",
    host: (side) => [...agent("with ten keys")(side), "IdentitiesOnly yes"],
    expect: REACHED,
  },
  {
    name: "agent: ten keys, the right file comes too late",
    at: "127.0.0.23",
    host: agent("with ten keys"),
    expect: DENIED,
  },
  {
    name: "agent: IdentitiesOnly shuts the agent's key out",
    at: MAIN,
    key: null,
    host: (side) => [...agent("with the key")(side), "IdentitiesOnly yes"],
    expect: DENIED,
  },
  {
    name: "agent: from SSH_AUTH_SOCK",
    at: MAIN,
    key: null,
    host: () => ["IdentityAgent SSH_AUTH_SOCK"],
    env: ({ world }) => ({ SSH_AUTH_SOCK: world.agent("with the key") }),
    expect: REACHED,
  },
  {
    name: "agent: IdentityAgent $VARIABLE",
    at: MAIN,
    key: null,
    host: () => ["IdentityAgent $LIVE_AGENT"],
    env: ({ world }) => ({ LIVE_AGENT: world.agent("with the key") }),
    expect: REACHED,
  },
  {
    name: "agent: IdentityAgent none wins over SSH_AUTH_SOCK",
    at: MAIN,
    key: null,
    host: () => ["IdentityAgent none"],
    env: ({ world }) => ({ SSH_AUTH_SOCK: world.agent("with the key") }),
    expect: DENIED,
  },
  {
    name: "agent: MaxAuthTries 1, the named key goes first",
    at: "127.0.0.15",
    key: null,
    host: (side) => [
      ...agent("with ten keys")(side),
      `IdentityFile ${join(side.world.dir, "only-in-agent.pub")}`,
    ],
    expect: REACHED,
  },
  { name: "agent: a certificate", at: MAIN, key: null, host: agent("with a certificate"), expect: REACHED },
];

export const certificateScenarios: readonly Scenario[] = [
  keyFile("cert", REACHED, { name: "certificate: beside the key" }),
  keyFile("cert rsa", REACHED, { name: "certificate: RSA" }),
  keyFile("cert ecdsa", REACHED, { name: "certificate: ECDSA" }),
  keyFile("cert expired", DENIED, { name: "certificate: expired" }),
  keyFile("cert for another", DENIED, { name: "certificate: for another principal" }),
  keyFile("cert of another ca", DENIED, { name: "certificate: of a CA that the server does not know" }),
  keyFile("cert apart", DENIED, { name: "certificate: absent" }),
  keyFile("cert apart", REACHED, {
    name: "certificate: CertificateFile",
    host: ({ world }) => [`CertificateFile ${join(world.dir, "apart.pub")}`],
  }),
  keyFile("cert", DENIED, { name: "certificate: the server trusts no CA", at: "127.0.0.26" }),
  { name: "certificate: by -i", at: MAIN, key: null, flags: ["cert"], expect: REACHED },
];

export const serverScenarios: readonly Scenario[] = [
  { name: "server: DenyUsers", at: "127.0.0.11", expect: DENIED },
  { name: "server: AllowUsers another", at: "127.0.0.12", expect: DENIED },
  { name: "server: PubkeyAuthentication no", at: "127.0.0.13", expect: DENIED },
  { name: "server: two keys are asked for and one is there", at: "127.0.0.14", expect: DENIED },
  {
    name: "server: two keys are asked for and there",
    at: "127.0.0.14",
    rest: ({ world }) => ["Host target", `IdentityFile ${world.key("ecdsa 256")}`],
    expect: REACHED,
  },
  { name: "server: MaxAuthTries 1 with the right key", at: "127.0.0.15", expect: REACHED },
  {
    name: "server: MaxAuthTries 1 with a wrong key first",
    at: "127.0.0.15",
    key: "wrong",
    rest: ({ world }) => ["Host target", `IdentityFile ${world.key("ed25519")}`],
    expect: DENIED,
  },
  { name: "server: ForceCommand", at: "127.0.0.16", expect: "reached 7" },
  { name: "server: ForceCommand internal-sftp", at: "127.0.0.27", expect: "reached 1" },
  { name: "server: a long banner", at: "127.0.0.18", expect: REACHED },
  { name: "server: knows no key of ours", at: "127.0.0.19", expect: DENIED },
  { name: "server: password only", at: "127.0.0.22", expect: DENIED },
  { name: "server: a user it does not know", at: MAIN, host: () => ["User nobody-here"], expect: DENIED },
];
