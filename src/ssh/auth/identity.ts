/** Which keys a host is offered, and in which order (sshconnect2.c: pubkey_prepare). */
import { signWithKey } from "../keys/private-key.js";
import type { IdentityPlan } from "../plan/plan.js";
import {
  parseBlob,
  readKeySources,
  type IdentitySources,
  type KeySources,
  type KeySource,
  type ParsedBlob,
  type Skipped,
} from "./key-sources.js";

/** A public key or certificate that we can sign for. */
export interface IdentityCandidate {
  /** Where it comes from, for the record: `--ssh-key FILE`, `agent`, `FILE`. */
  readonly source: string;
  /** Plain key type; `ssh-rsa` for RSA. */
  readonly type: string;
  readonly certified: boolean;
  readonly rsaBits: number | null;
  /** The blob that is offered. */
  readonly blob: Buffer;
  /** `SHA256:...` of the plain key, where that is known. */
  readonly fingerprint: string;
  /** The private key is in memory: to sign takes no request to an agent. */
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
  /** A system error of this machine (no descriptors, no memory) that kept a key or an agent from being read. */
  readonly localLimit?: unknown;
}

/**
 * Order: `--ssh-key`; certificates; agent keys that are named; other agent keys unless IdentitiesOnly; the other files.
 * Never rejects: what cannot be used is in `skipped`. `signMs`: how long an agent may take to sign, which is the time of
 * the login, since the agent may wait for its user; 0 where nothing will be signed.
 */
export async function findCandidates(
  plan: IdentityPlan,
  sources: IdentitySources,
  signMs = 0,
): Promise<Candidates> {
  const found = await readKeySources(plan, sources, signMs);
  const selection = new Selection(found);
  selection.addCertificates(found.explicit);
  selection.addFiles(found.explicit);
  selection.addCertificates(found.configured);
  selection.addAgentKeys(true);
  if (!plan.identitiesOnly) selection.addAgentKeys(false);
  selection.addFiles(found.configured);
  return {
    keys: selection.keys,
    skipped: [...found.agent.skipped, ...selection.skippedFiles()],
    ...("localLimit" in found ? { localLimit: found.localLimit } : {}),
  };
}

/** The candidates selected so far. A key is offered once, from the first source it was found in. */
class Selection {
  readonly keys: IdentityCandidate[] = [];
  readonly #seen = new Set<string>();
  readonly #files: readonly KeySource[];
  /** The file of each public key that a file names. */
  readonly #fileOf = new Map<string, string>();

  constructor(private readonly sources: KeySources) {
    this.#files = [...sources.explicit, ...sources.configured];
    for (const { path, file } of this.#files) {
      const key = file.kind === "missing" || file.blob === null ? null : parseBlob(file.blob);
      if (key !== null && !this.#fileOf.has(key.identity)) this.#fileOf.set(key.identity, path);
    }
  }

  addFiles(files: readonly KeySource[]): void {
    for (const named of files) this.#add(this.#fromFile(named));
  }

  /** CertificateFile and the certificates beside `files`, as far as there is a private key for them. */
  addCertificates(files: readonly KeySource[]): void {
    const named = this.sources.certificates.map(({ path, blob }) => ({ source: path, blob }));
    const beside = files.map(({ path, file }) => ({
      source: `${path}-cert.pub`,
      blob: file.kind === "missing" ? null : file.certificate,
    }));
    for (const { source, blob } of [...named, ...beside]) {
      const certificate = blob === null ? null : parseBlob(blob);
      if (certificate === null || certificate.parsed.certificate === null) continue;
      const signer = this.#signerOf(certificate, source);
      if (signer === null) continue;
      const shown = { ...certificate, fingerprint: signer.fingerprint };
      this.#add(candidate(source, shown, signer.file, signer.inMemory, (...args) => signer.sign(...args)));
    }
  }

  /** `areNamed`: only those whose public key is in a file that is named; else all. */
  addAgentKeys(areNamed: boolean): void {
    for (const key of this.sources.agent.keys) {
      const file = this.#fileOf.get(key.identity) ?? null;
      if (file !== null || !areNamed) this.#add(this.#viaAgent(key, "agent", file));
    }
  }

  skippedFiles(): Skipped[] {
    return this.#files.flatMap(({ source, path, file, isExplicit }): Skipped[] => {
      if (file.kind === "missing") {
        return isExplicit ? [{ source, reason: "no such file", file: path, remedy: "make" }] : [];
      }
      if (file.kind === "usable" || this.#inAgent(file.blob) !== null) return [];
      return [{ source, reason: file.reason, file: path, remedy: file.remedy }];
    });
  }

  #add(key: IdentityCandidate | null): void {
    if (key === null) return;
    const name = key.blob.toString("base64");
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    this.keys.push(key);
  }

  #fromFile({ path, source, file }: KeySource): IdentityCandidate | null {
    if (file.kind === "missing") return null;
    if (file.kind === "usable") {
      const key = parseBlob(file.blob);
      const sign = (algorithm: string, data: Buffer): Buffer => signWithKey(file.key, algorithm, data);
      return key === null ? null : candidate(source, key, path, true, sign);
    }
    const agentKey = this.#inAgent(file.blob);
    return agentKey === null ? null : this.#viaAgent(agentKey, `${source} (agent)`, path);
  }

  #viaAgent(key: ParsedBlob, source: string, file: string | null): IdentityCandidate {
    const { agent } = this.sources;
    const sign = (algorithm: string, data: Buffer): Promise<Buffer> => agent.sign(key.blob, algorithm, data);
    // ssh-keygen shows a certificate by its plain key.
    const plain = key.parsed.certificate === null ? key : this.#plainInAgent(key.identity);
    const shown = { ...key, fingerprint: plain?.fingerprint ?? key.fingerprint };
    return candidate(source, shown, file, false, sign);
  }

  /** A file's private key for a certificate, else the agent's. */
  #signerOf(certificate: ParsedBlob, source: string): IdentityCandidate | null {
    for (const named of this.#files) {
      const key = this.#fromFile(named);
      if (key !== null && parseBlob(key.blob)?.identity === certificate.identity) return key;
    }
    const agentKey = this.#plainInAgent(certificate.identity);
    return agentKey === null ? null : this.#viaAgent(agentKey, source, null);
  }

  #inAgent(blob: Buffer | null): ParsedBlob | null {
    const wanted = blob === null ? null : parseBlob(blob);
    return wanted === null ? null : this.#plainInAgent(wanted.identity);
  }

  #plainInAgent(identity: string): ParsedBlob | null {
    const { keys } = this.sources.agent;
    return keys.find((key) => key.parsed.certificate === null && key.identity === identity) ?? null;
  }
}

function candidate(
  source: string,
  { parsed, blob, fingerprint }: ParsedBlob,
  file: string | null,
  inMemory: boolean,
  sign: IdentityCandidate["sign"],
): IdentityCandidate {
  return {
    source,
    type: parsed.plainType,
    certified: parsed.certificate !== null,
    rsaBits: parsed.rsaBits,
    blob,
    fingerprint,
    inMemory,
    file,
    sign,
  };
}
