/** Key pairs for tests, made by ssh-keygen. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface KeyOptions {
  readonly type?: "ed25519" | "ecdsa" | "rsa";
  readonly bits?: number;
  readonly passphrase?: string;
  /** The private half's file format (`ssh-keygen -m`); OpenSSH's own by default. */
  readonly format?: "PEM" | "PKCS8";
  readonly comment?: string;
}

export interface KeyPair {
  /** The private key's file; its public half is `<file>.pub`. */
  readonly file: string;
  /** `type base64 comment`, as a line of authorized_keys. */
  readonly publicLine: string;
  readonly fingerprint: string;
}

/** Writes `file` and `file.pub`. Throws when ssh-keygen is not there or refuses. */
export function makeKey(file: string, options: KeyOptions = {}): KeyPair {
  const { type = "ed25519" } = options;
  const args = ["-q", "-t", type, "-f", file, "-N", options.passphrase ?? ""];
  // An RSA key of the usual 3072 bits takes half a second to make.
  const bits = options.bits ?? (type === "rsa" ? 2048 : undefined);
  if (bits !== undefined) args.push("-b", String(bits));
  if (options.format !== undefined) args.push("-m", options.format);
  args.push("-C", options.comment ?? "allsmi-test");
  execFileSync("ssh-keygen", args, { stdio: ["ignore", "ignore", "inherit"] });
  return {
    file,
    publicLine: readFileSync(`${file}.pub`, "utf8").trim(),
    fingerprint: fingerprintOf(`${file}.pub`),
  };
}

/** `SHA256:...` of a public key or certificate file. */
function fingerprintOf(publicFile: string): string {
  const line = execFileSync("ssh-keygen", ["-l", "-f", publicFile], { encoding: "utf8" });
  const found = /SHA256:[A-Za-z0-9+/]+/.exec(line);
  if (found === null) throw new Error(`ssh-keygen -l printed: ${line}`);
  return found[0];
}

export interface CertificateOptions {
  readonly ca: KeyPair;
  readonly principals: readonly string[];
  /** As `ssh-keygen -V`. */
  readonly validity?: string;
  readonly host?: boolean;
  /** As `ssh-keygen -O`. */
  readonly options?: readonly string[];
}

/** Signs `key` and returns the certificate's file, `<key>-cert.pub`. */
export function signKey(key: KeyPair, how: CertificateOptions): string {
  const args = ["-q", "-s", how.ca.file, "-I", "allsmi-test", "-n", how.principals.join(",")];
  if (how.validity !== undefined) args.push("-V", how.validity);
  if (how.host === true) args.push("-h");
  for (const option of how.options ?? []) args.push("-O", option);
  execFileSync("ssh-keygen", [...args, `${key.file}.pub`], { stdio: ["ignore", "ignore", "inherit"] });
  return `${key.file}-cert.pub`;
}
