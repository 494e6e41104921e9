/** What there is to offer a host: the key files that are named, the certificates, and the keys of the agent. */
import { isLocalLimit } from "../../contract/local-limit.js";
import { fingerprint } from "../keys/fingerprint.js";
import { readPublicKey, type PublicKey } from "../keys/public-key.js";
import type { IdentityPlan } from "../plan/plan.js";
import { AgentError, type AgentPool } from "./agent.js";
import { readPublicFile, type KeyFile, type KeyFiles, type KeyRemedy } from "./key-file.js";

export interface IdentitySources {
  readonly agents: AgentPool;
  readonly keys: KeyFiles;
}

/** A key or an agent that could not be used. */
export interface Skipped {
  readonly source: string;
  readonly reason: string;
  /** The key file; null for an agent. */
  readonly file: string | null;
  /** What would make it usable. */
  readonly remedy: KeyRemedy | null;
}

export interface KeySource {
  readonly path: string;
  readonly source: string;
  readonly file: KeyFile;
  /** The user named this file, so it is reported when it is missing. */
  readonly isExplicit: boolean;
}

/** A public key or certificate that could be parsed. */
export interface ParsedBlob {
  readonly blob: Buffer;
  readonly identity: string;
  readonly fingerprint: string;
  readonly parsed: PublicKey;
}

interface CertificateFile {
  readonly path: string;
  /** Null: missing, or no certificate. */
  readonly blob: Buffer | null;
  readonly localLimit?: unknown;
}

/** What the agent answered. */
interface AgentKeys {
  readonly keys: readonly ParsedBlob[];
  readonly skipped: readonly Skipped[];
  readonly localLimit?: unknown;
  sign(blob: Buffer, algorithm: string, data: Buffer): Promise<Buffer>;
}

export interface KeySources {
  /** The files of `--ssh-key`. */
  readonly explicit: readonly KeySource[];
  /** IdentityFile, or the default files. */
  readonly configured: readonly KeySource[];
  readonly certificates: readonly CertificateFile[];
  readonly agent: AgentKeys;
  /** A system error of this machine (no descriptors, no memory) that kept one of them from being read. */
  readonly localLimit?: unknown;
}

/** Reads the files and asks the agent, all at once. Never rejects. `signMs`: how long the agent may take to sign. */
export async function readKeySources(
  plan: IdentityPlan,
  { agents, keys }: IdentitySources,
  signMs: number,
): Promise<KeySources> {
  const load = (named: Omit<KeySource, "file">): Promise<KeySource> =>
    keys.load(named.path).then((file) => ({ ...named, file }));
  const [explicit, configured, certificates, agent] = await Promise.all([
    Promise.all(plan.keyFiles.map((path) => load({ path, source: `--ssh-key ${path}`, isExplicit: true }))),
    Promise.all(
      plan.configFiles
        .filter((path) => !plan.keyFiles.includes(path))
        .map((path) => load({ path, source: path, isExplicit: plan.configFilesNamed })),
    ),
    Promise.all(plan.certificateFiles.map(readCertificate)),
    askAgent(plan.agentSocket, agents, signMs),
  ]);
  const files = [...explicit, ...configured].map(({ file }) => file);
  const [localLimit] = [agent, ...certificates, ...files].flatMap((from) =>
    "localLimit" in from && from.localLimit !== undefined ? [from.localLimit] : [],
  );
  return {
    ...{ explicit, configured, certificates, agent },
    ...(localLimit === undefined ? {} : { localLimit }),
  };
}

async function readCertificate(path: string): Promise<CertificateFile> {
  try {
    return { path, blob: await readPublicFile(path) };
  } catch (error) {
    return { path, blob: null, localLimit: error };
  }
}

async function askAgent(socket: string | null, agents: AgentPool, signMs: number): Promise<AgentKeys> {
  const none: AgentKeys = { keys: [], skipped: [], sign: () => Promise.reject(new AgentError("no agent")) };
  if (socket === null || socket === "") return none;
  const agent = agents.at(socket);
  try {
    const keys = (await agent.keys()).map(({ blob }) => parseBlob(blob)).filter((key) => key !== null);
    return { keys, skipped: [], sign: (...args) => agent.sign(...args, signMs) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const skipped = [{ source: `agent ${socket}`, reason: error.message, file: null, remedy: null }];
    return { ...none, skipped, ...(isLocalLimit(error.cause) ? { localLimit: error.cause } : {}) };
  }
}

const parsedBlobs = new WeakMap<Buffer, ParsedBlob | "unreadable">();

/** Null for a blob that is no key. Parses a blob once: every host gets the same buffers. */
export function parseBlob(blob: Buffer): ParsedBlob | null {
  const known = parsedBlobs.get(blob) ?? readBlob(blob);
  parsedBlobs.set(blob, known);
  return known === "unreadable" ? null : known;
}

function readBlob(blob: Buffer): ParsedBlob | "unreadable" {
  try {
    const parsed = readPublicKey(blob);
    return { blob, identity: parsed.identity, fingerprint: fingerprint(blob), parsed };
  } catch {
    return "unreadable";
  }
}
