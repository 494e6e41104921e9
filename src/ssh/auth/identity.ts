/** Which keys a host is offered, and in which order (sshconnect2.c: pubkey_prepare). */
import { isLocalLimit } from "../../contract/local-limit.js";
import { fingerprint } from "../keys/fingerprint.js";
import { readPublicKey, type PublicKey } from "../keys/public-key.js";
import { signWithKey } from "../keys/signature.js";
import type { IdentityPlan } from "../plan/plan.js";
import { AgentError, type AgentKey, type AgentPool } from "./agent.js";
import { readPublicFile, type KeyCache, type KeyFile, type KeyRemedy } from "./key-cache.js";

/** A public key or certificate that can be proven. */
export interface IdentityCandidate {
  /** Where it comes from, for the record: `--ssh-key FILE`, `agent`, `FILE`. */
  readonly source: string;
  /** Plain key type; `ssh-rsa` for RSA. */
  readonly type: string;
  readonly certified: boolean;
  readonly rsaBits: number | null;
  /** What is offered. */
  readonly blob: Buffer;
  /** `SHA256:...` of the plain key, where that is at hand. */
  readonly fingerprint: string;
  /** The private key is in memory: proving costs no question to anybody. */
  readonly inMemory: boolean;
  /** The key's file, where one is named; null when only an agent has it. */
  readonly file: string | null;
  /** The SSH signature blob by a plain algorithm name. Throws, or rejects, with an Error whose message is a reason. */
  sign(algorithm: string, data: Buffer): Buffer | Promise<Buffer>;
}

export interface Candidates {
  readonly keys: readonly IdentityCandidate[];
  /** Keys and agents that could not be used, and why. */
  readonly skipped: readonly Skipped[];
  /** A system error of this machine (no descriptors, no memory) that kept a key or an agent from being looked at. */
  readonly localLimit?: unknown;
}

export interface Skipped {
  readonly source: string;
  readonly reason: string;
  /** The key file; null for an agent. */
  readonly file: string | null;
  /** What would make it usable. */
  readonly remedy: KeyRemedy | null;
}

export interface IdentitySources {
  readonly agents: AgentPool;
  readonly keys: KeyCache;
}

interface NamedFile {
  readonly path: string;
  readonly source: string;
  readonly file: KeyFile;
  /** The user asked for this file, so that its absence is worth a word. */
  readonly asked: boolean;
}

interface HeldKey {
  readonly blob: Buffer;
  readonly identity: string;
  readonly fingerprint: string;
  readonly parsed: PublicKey;
}

/**
 * Order: `--ssh-key`; certificates; agent keys that are named; other agent keys unless IdentitiesOnly; the other files.
 * Never rejects: what cannot be used is in `skipped`. `signMs`: how long an agent may take to sign, which is the login's own
 * time, for it may be waiting for its user's hand; 0 where nothing is to be signed.
 */
export async function findCandidates(
  plan: IdentityPlan,
  sources: IdentitySources,
  signMs = 0,
): Promise<Candidates> {
  const [files, certificates, agent] = await Promise.all([
    loadFiles(plan, sources.keys),
    Promise.all(plan.certificateFiles.map(async (path) => ({ path, ...(await readCertificate(path)) }))),
    askAgent(plan.agentSocket, sources.agents, signMs),
  ]);
  const skipped: Skipped[] = [...agent.skipped];
  const held = agent.keys.map((key) => parseHeld(key.blob)).filter((key) => key !== null);
  const chosen = new Chosen();
  const viaAgent = (key: HeldKey, source: string, file: string | null): IdentityCandidate => {
    const sign = (algorithm: string, data: Buffer): Promise<Buffer> => agent.sign(key.blob, algorithm, data);
    // ssh-keygen shows a certificate by its plain key.
    const plain = key.parsed.certificate === null ? key : held.find((other) => isPlainOf(other, key));
    return candidate(
      source,
      { ...key, fingerprint: plain?.fingerprint ?? key.fingerprint },
      file,
      false,
      sign,
    );
  };

  const explicit = files.slice(0, plan.keyFiles.length);
  const configured = files.slice(plan.keyFiles.length);
  const inAgent = (blob: Buffer | null): HeldKey | null => {
    const wanted = blob === null ? null : parseHeld(blob);
    if (wanted === null) return null;
    return held.find((key) => key.parsed.certificate === null && key.identity === wanted.identity) ?? null;
  };
  const fromFile = (named: NamedFile): IdentityCandidate | null => {
    const { file } = named;
    if (file.kind === "missing") return null;
    if (file.kind === "usable") {
      const key = parseHeld(file.blob);
      const sign = (algorithm: string, data: Buffer): Buffer => signWithKey(file.key, algorithm, data);
      return key === null ? null : candidate(named.source, key, named.path, true, sign);
    }
    const agentKey = inAgent(file.blob);
    return agentKey === null ? null : viaAgent(agentKey, `${named.source} (agent)`, named.path);
  };
  const certificatesOf = (named: readonly NamedFile[]): void => {
    const explicitBlobs = certificates.map((entry) => ({ source: entry.path, blob: entry.blob }));
    const beside = named.map((entry) => ({
      source: `${entry.path}-cert.pub`,
      blob: entry.file.kind === "missing" ? null : entry.file.certificate,
    }));
    for (const { source, blob } of [...explicitBlobs, ...beside]) {
      const certificate = blob === null ? null : parseHeld(blob);
      if (certificate === null || certificate.parsed.certificate === null) continue;
      const owner = files.map(fromFile).find((key) => key !== null && samePlainKey(key.blob, certificate));
      const agentOwner = held.find((key) => isPlainOf(key, certificate));
      const signer = owner ?? (agentOwner === undefined ? null : viaAgent(agentOwner, source, null));
      if (signer === null) continue;
      const shown = { ...certificate, fingerprint: signer.fingerprint };
      chosen.add(candidate(source, shown, signer.file, signer.inMemory, (...args) => signer.sign(...args)));
    }
  };

  certificatesOf(explicit);
  for (const named of explicit) chosen.add(fromFile(named));
  certificatesOf(configured);
  const namedFiles = new Map<string, string>();
  for (const { path, file } of files) {
    const key = file.kind === "missing" || file.blob === null ? null : parseHeld(file.blob);
    if (key !== null && !namedFiles.has(key.identity)) namedFiles.set(key.identity, path);
  }
  const fromAgent = (key: HeldKey): IdentityCandidate =>
    viaAgent(key, "agent", namedFiles.get(key.identity) ?? null);
  for (const key of held) if (namedFiles.has(key.identity)) chosen.add(fromAgent(key));
  if (!plan.identitiesOnly) for (const key of held) chosen.add(fromAgent(key));
  for (const named of configured) chosen.add(fromFile(named));

  for (const named of files) {
    const { file } = named;
    if (file.kind === "missing") {
      if (named.asked)
        skipped.push({ source: named.source, reason: "no such file", file: named.path, remedy: "make" });
    } else if (file.kind === "unusable" && inAgent(file.blob) === null) {
      skipped.push({ source: named.source, reason: file.reason, file: named.path, remedy: file.remedy });
    }
  }
  const limits = [agent, ...certificates, ...files.map(({ file }) => file)].flatMap((from) =>
    "localLimit" in from && from.localLimit !== undefined ? [from.localLimit] : [],
  );
  return { keys: chosen.keys, skipped, ...(limits.length > 0 ? { localLimit: limits[0] } : {}) };
}

async function readCertificate(path: string): Promise<{ blob: Buffer | null; localLimit?: unknown }> {
  try {
    return { blob: await readPublicFile(path) };
  } catch (error) {
    return { blob: null, localLimit: error };
  }
}

/** The candidates chosen so far; a key is offered once, from the first place it was found in. */
class Chosen {
  readonly keys: IdentityCandidate[] = [];
  readonly #seen = new Set<string>();

  add(key: IdentityCandidate | null): void {
    if (key === null) return;
    const name = key.blob.toString("base64");
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    this.keys.push(key);
  }
}

function loadFiles(plan: IdentityPlan, cache: KeyCache): Promise<NamedFile[]> {
  const explicit = plan.keyFiles.map((path) => ({ path, source: `--ssh-key ${path}`, asked: true }));
  const configured = plan.configFiles
    .filter((path) => !plan.keyFiles.includes(path))
    .map((path) => ({ path, source: path, asked: plan.configFilesNamed }));
  return Promise.all(
    [...explicit, ...configured].map(async (named) => ({ ...named, file: await cache.load(named.path) })),
  );
}

interface AskedAgent {
  readonly keys: readonly AgentKey[];
  readonly skipped: readonly Skipped[];
  readonly localLimit?: unknown;
  sign(blob: Buffer, algorithm: string, data: Buffer): Promise<Buffer>;
}

async function askAgent(socket: string | null, agents: AgentPool, signMs: number): Promise<AskedAgent> {
  const none: AskedAgent = { keys: [], skipped: [], sign: () => Promise.reject(new AgentError("no agent")) };
  if (socket === null || socket === "") return none;
  const agent = agents.at(socket);
  try {
    return { keys: await agent.keys(), skipped: [], sign: (...args) => agent.sign(...args, signMs) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const skipped = [{ source: `agent ${socket}`, reason: error.message, file: null, remedy: null }];
    return { ...none, skipped, ...(isLocalLimit(error.cause) ? { localLimit: error.cause } : {}) };
  }
}

const parsedBlobs = new WeakMap<Buffer, HeldKey | "unreadable">();

/** Parses a blob once: the same buffer comes again for every host. */
function parseHeld(blob: Buffer): HeldKey | null {
  let held = parsedBlobs.get(blob);
  if (held === undefined) {
    held = readHeld(blob);
    parsedBlobs.set(blob, held);
  }
  return held === "unreadable" ? null : held;
}

function readHeld(blob: Buffer): HeldKey | "unreadable" {
  try {
    const parsed = readPublicKey(blob);
    return { blob, identity: parsed.identity, fingerprint: fingerprint(blob), parsed };
  } catch {
    return "unreadable";
  }
}

function isPlainOf(key: HeldKey, certificate: HeldKey): boolean {
  return key.parsed.certificate === null && key.identity === certificate.identity;
}

function samePlainKey(blob: Buffer, certificate: HeldKey): boolean {
  return parseHeld(blob)?.identity === certificate.identity;
}

function candidate(
  source: string,
  key: HeldKey,
  file: string | null,
  inMemory: boolean,
  sign: IdentityCandidate["sign"],
): IdentityCandidate {
  const { parsed, blob } = key;
  return {
    source,
    type: parsed.plainType,
    certified: parsed.certificate !== null,
    rsaBits: parsed.rsaBits,
    blob,
    fingerprint: key.fingerprint,
    inMemory,
    file,
    sign,
  };
}
