/** The servers, keys and agents that all live scenarios share. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../../support/agent.js";
import type { Agent } from "../../support/agent.js";
import * as dropbear from "../../support/dropbear.js";
import { makeKey, signKey } from "../../support/ssh-key.js";
import type { KeyPair } from "../../support/ssh-key.js";
import { knownHostsLines, startSshd } from "../../support/sshd.js";
import type { Sshd, SshdOptions } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { startFakes, startHungAgent } from "./fakes.js";
import type { FakeName, Fakes } from "./fakes.js";

/** Where a scenario connects to: an address and what stands in known_hosts for it. */
export interface Place {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Plain lines for a name at this port; every host key of the server. */
  known(name?: string): string;
}

export interface World {
  readonly dir: string;
  readonly user: string;
  /** Key pairs that the servers accept, and some that they do not. */
  readonly keys: Readonly<Record<string, KeyPair>>;
  /** A key's file by name; fails for a name that is not there. */
  key(name: string): string;
  /** Socket paths by name. */
  agent(name: string): string;
  place(name: string): Place;
  /** The sshd behind most places. */
  readonly main: Sshd;
  readonly caLine: string;
  readonly hasDropbear: boolean;
  readonly hasIpv6: boolean;
  stop(): Promise<void>;
}

// Each address of the one server has rules of its own.
const RULES: Readonly<Record<string, readonly string[]>> = {
  "127.0.0.11": ["DenyUsers *"],
  "127.0.0.12": ["AllowUsers somebody-else"],
  "127.0.0.13": ["PubkeyAuthentication no"],
  "127.0.0.14": ["AuthenticationMethods publickey,publickey"],
  "127.0.0.15": ["MaxAuthTries 1"],
  "127.0.0.16": ["ForceCommand echo forced; exit 7"],
  "127.0.0.17": ["AllowTcpForwarding no"],
  "127.0.0.18": ["Banner /etc/passwd"],
  "127.0.0.19": ["AuthorizedKeysFile none"],
  "127.0.0.20": ["MaxSessions 0"],
  "127.0.0.21": ["PubkeyAcceptedAlgorithms rsa-sha2-512"],
  "127.0.0.22": ["AuthenticationMethods password"],
  "127.0.0.23": ["MaxAuthTries 6"],
  "127.0.0.24": ["PermitOpen none"],
  "127.0.0.25": ["PubkeyAcceptedAlgorithms ssh-ed25519"],
  "127.0.0.26": ["AuthorizedKeysFile none", "TrustedUserCAKeys none"],
  "127.0.0.27": ["ForceCommand internal-sftp"],
};

function ruleText(): string {
  const blocks = Object.entries(RULES).flatMap(([address, lines]) => [
    `Match LocalAddress ${address}`,
    ...lines.map((line) => `  ${line}`),
  ]);
  return `${blocks.join("\n")}\n`;
}

/** Servers with other algorithms or host keys: options by place name. */
function specialServers(hostCa: KeyPair): Readonly<Record<string, SshdOptions>> {
  const certified = (options: Partial<Parameters<typeof signKey>[1]>, dir: string): SshdOptions => {
    const key = makeKey(join(dir, "key"));
    const certificate = signKey(key, { ca: hostCa, principals: ["127.0.0.1"], host: true, ...options });
    return { hostKeys: [key], config: [`HostCertificate ${certificate}`] };
  };
  const sub = (name: string): string => {
    const dir = join(hostCa.file, "..", name);
    mkdirSync(dir);
    return dir;
  };
  return {
    "rsa host": { hostKeyTypes: ["rsa"] },
    "ecdsa host": { hostKeyTypes: ["ecdsa"] },
    "sha1 host": { hostKeyTypes: ["rsa"], config: ["HostKeyAlgorithms ssh-rsa"] },
    "default kex": { config: ["KexAlgorithms +sntrup761x25519-sha512@openssh.com"] },
    "pq only": { config: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] },
    "umac only": { config: ["Ciphers aes128-ctr", "MACs umac-64@openssh.com"] },
    "cbc only": { config: ["Ciphers aes128-cbc"] },
    "old kex": { config: ["KexAlgorithms diffie-hellman-group14-sha1"] },
    "chacha only": { config: ["Ciphers chacha20-poly1305@openssh.com"] },
    "certified host": certified({}, sub("certified")),
    "certified for another": certified({ principals: ["elsewhere"] }, sub("for-another")),
    "certificate expired": certified({ validity: "20200101:20200102" }, sub("expired")),
  };
}

/** Starts everything; a failure stops what was started. */
export async function makeWorld(): Promise<World> {
  const temp = makeTempDir("live");
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.reverse()) await each();
    temp.remove();
  };
  try {
    return await build(temp.path, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(dir: string, stops: (() => Promise<void>)[], stop: () => Promise<void>): Promise<World> {
  const keys = makeKeys(dir);
  const key = (name: string): KeyPair => {
    const found = keys[name];
    if (found === undefined) throw new Error(`no key ${name}`);
    return found;
  };
  const hasIpv6 = ipv6Loopback();
  const authorizedKeys = Object.entries(keys)
    .filter(([name]) => !/^(wrong|cert|ca|spare)/.test(name))
    .map(([, pair]) => pair.publicLine);
  const places = new Map<string, Place>();

  // sshd listens on 16 addresses at most (MAX_LISTEN_SOCKS).
  const ruled = Object.keys(RULES);
  const ruleFile = join(dir, "rules");
  writeFileSync(ruleFile, ruleText());
  const config = [`Include ${ruleFile}`, `TrustedUserCAKeys ${key("ca").file}.pub`];
  const main = await startSshd({
    addresses: ["127.0.0.1", ...(hasIpv6 ? ["::1"] : []), ...ruled.slice(0, 10)],
    hostKeyTypes: ["ed25519", "ecdsa", "rsa"],
    authorizedKeys,
    config,
  });
  stops.push(() => main.stop());
  const second = await startSshd({
    addresses: ruled.slice(10),
    hostKeys: main.hostKeys,
    authorizedKeys,
    config,
  });
  stops.push(() => second.stop());
  for (const server of [main, second]) {
    for (const address of server.addresses) {
      const known = (name = address): string => server.knownHostsLine(name);
      places.set(address, { address, port: server.port, user: server.user, known });
    }
  }

  const special = specialServers(key("ca host"));
  const started = await Promise.all(
    Object.entries(special).map(async ([name, options]) => {
      const server = await startSshd({ authorizedKeys, ...options });
      stops.push(() => server.stop());
      return [name, server] as const;
    }),
  );
  for (const [name, server] of started) {
    const known = (host = "127.0.0.1"): string => knownHostsLines(host, server.port, server.hostKeys);
    places.set(name, { address: "127.0.0.1", port: server.port, user: server.user, known });
  }

  if (dropbear.missing === null) {
    const server = await dropbear.startDropbear({
      hostKeyTypes: ["ed25519", "ecdsa", "rsa"],
      authorizedKeys,
    });
    stops.push(() => server.stop());
    const known = (host = "127.0.0.1"): string => server.knownHostsLine(host);
    places.set("dropbear", { address: "127.0.0.1", port: server.port, user: server.user, known });
  }

  const fakes = await startFakes();
  stops.push(() => fakes.stop());
  for (const name of Object.keys(fakes.ports)) addFake(places, name as FakeName, fakes, main.user);

  const agents = await startAgents(dir, keys, stops);
  const constrained = await startAgent();
  stops.push(() => constrained.stop());
  constrained.add(key("in agent"), ["-H", main.knownHostsFile, "-h", `[127.0.0.1]:${main.port}`]);
  agents.set("constrained to main", constrained.socket);
  return {
    dir,
    user: main.user,
    keys,
    key: (name) => key(name).file,
    agent: (name) => {
      const found = agents.get(name);
      if (found === undefined) throw new Error(`no agent ${name}`);
      return found;
    },
    place: (name) => {
      const found = places.get(name);
      if (found === undefined) throw new Error(`no place ${name}`);
      return found;
    },
    main,
    caLine: readFileSync(`${key("ca host").file}.pub`, "utf8").trim(),
    hasDropbear: dropbear.missing === null,
    hasIpv6,
    stop,
  };
}

function addFake(places: Map<string, Place>, name: FakeName, fakes: Fakes, user: string): void {
  const place = { address: "127.0.0.1", port: fakes.ports[name], user, known: () => "" };
  places.set(name, place);
}

function makeKeys(dir: string): Record<string, KeyPair> {
  const at = (name: string): string => join(dir, name.replaceAll(" ", "-"));
  const made = (name: string, options: Parameters<typeof makeKey>[1] = {}): KeyPair =>
    makeKey(at(name), options);
  const keys: Record<string, KeyPair> = {
    ed25519: made("ed25519"),
    "ecdsa 256": made("ecdsa 256", { type: "ecdsa", bits: 256 }),
    "ecdsa 384": made("ecdsa 384", { type: "ecdsa", bits: 384 }),
    "ecdsa 521": made("ecdsa 521", { type: "ecdsa", bits: 521 }),
    "rsa 2048": made("rsa 2048", { type: "rsa", bits: 2048 }),
    "rsa 4096": made("rsa 4096", { type: "rsa", bits: 4096 }),
    "rsa 1024": made("rsa 1024", { type: "rsa", bits: 1024 }),
    "rsa pem": made("rsa pem", { type: "rsa", bits: 2048, format: "PEM" }),
    "rsa pkcs8": made("rsa pkcs8", { type: "rsa", bits: 2048, format: "PKCS8" }),
    "ecdsa pem": made("ecdsa pem", { type: "ecdsa", format: "PEM" }),
    "ecdsa pkcs8": made("ecdsa pkcs8", { type: "ecdsa", format: "PKCS8" }),
    encrypted: made("encrypted", { passphrase: "secret" }),
    "encrypted pem": made("encrypted pem", { type: "rsa", passphrase: "secret", format: "PEM" }),
    open: made("open"),
    wrong: made("wrong"),
    "wrong rsa": made("wrong rsa", { type: "rsa", bits: 2048 }),
    "in agent": made("in agent"),
    ca: made("ca"),
    "ca host": made("ca host"),
    "ca wrong": made("ca wrong"),
  };
  chmodSync(at("open"), 0o644);
  const wrongs = Array.from({ length: 9 }, (_, i) => `wrong ${i}`);
  for (const name of wrongs) keys[name] = made(name);
  const certificates: Readonly<Record<string, Parameters<typeof signKey>[1]>> = {
    cert: { ca: pair(keys, "ca"), principals: ["watcher", userName()] },
    "cert expired": {
      ca: pair(keys, "ca"),
      principals: ["watcher", userName()],
      validity: "20200101:20200102",
    },
    "cert for another": { ca: pair(keys, "ca"), principals: ["somebody-else"] },
    "cert of another ca": { ca: pair(keys, "ca wrong"), principals: ["watcher", userName()] },
    "cert in agent": { ca: pair(keys, "ca"), principals: ["watcher", userName()] },
    "cert apart": { ca: pair(keys, "ca"), principals: ["watcher", userName()] },
  };
  for (const [name, how] of Object.entries(certificates)) {
    keys[name] = made(name);
    signKey(pair(keys, name), how);
  }
  keys["cert rsa"] = made("cert rsa", { type: "rsa", bits: 2048 });
  signKey(pair(keys, "cert rsa"), { ca: pair(keys, "ca"), principals: ["watcher", userName()] });
  keys["cert ecdsa"] = made("cert ecdsa", { type: "ecdsa" });
  signKey(pair(keys, "cert ecdsa"), { ca: pair(keys, "ca"), principals: ["watcher", userName()] });
  // A certificate that does not lie beside its key.
  copyFileSync(`${at("cert apart")}-cert.pub`, join(dir, "apart.pub"));
  writeFileSync(`${at("cert apart")}-cert.pub`, "");
  writeFileSync(
    join(dir, "garbage"),
    "-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n-----END OPENSSH PRIVATE KEY-----\n",
    {
      mode: 0o600,
    },
  );
  // Only the public half: the private one is in an agent, or nowhere.
  for (const name of ["in agent", "ed25519"])
    copyFileSync(`${at(name)}.pub`, join(dir, `only-${name.replace(" ", "-")}.pub`));
  return keys;
}

function pair(keys: Readonly<Record<string, KeyPair>>, name: string): KeyPair {
  const found = keys[name];
  if (found === undefined) throw new Error(`no key ${name}`);
  return found;
}

function userName(): string {
  return process.env["USER"] ?? "root";
}

async function startAgents(
  dir: string,
  keys: Readonly<Record<string, KeyPair>>,
  stops: (() => Promise<void>)[],
): Promise<Map<string, string>> {
  const held: Readonly<Record<string, readonly string[]>> = {
    "with the key": ["in agent"],
    empty: [],
    "with a wrong key": ["wrong"],
    // The right key comes last of ten: the seventh is one too many for MaxAuthTries 6.
    "with ten keys": [...Array.from({ length: 9 }, (_, i) => `wrong ${i}`), "in agent"],
    "with a certificate": ["cert in agent"],
    "with an rsa key": ["rsa 2048"],
  };
  const sockets = new Map<string, string>();
  for (const [name, names] of Object.entries(held)) {
    const agent: Agent = await startAgent();
    stops.push(() => agent.stop());
    for (const each of names) agent.add(pair(keys, each));
    sockets.set(name, agent.socket);
  }
  sockets.set("dead", join(dir, "no-agent.sock"));
  const hung = await startHungAgent(join(dir, "hung-agent.sock"));
  stops.push(() => hung.stop());
  sockets.set("hung", hung.socket);
  return sockets;
}

function ipv6Loopback(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8").includes("00000000000000000000000000000001");
  } catch {
    return false;
  }
}
