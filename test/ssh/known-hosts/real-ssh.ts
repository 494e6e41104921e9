/** What the system's ssh does about a server's host key; authentication is left to fail. */
import { execFile, spawnSync } from "node:child_process";

export const missingSsh: string | null =
  spawnSync("ssh", ["-V"]).error === undefined ? null : "ssh is not installed (openssh-client)";

export interface SshAsk {
  readonly host: string;
  readonly port: number;
  /** `Keyword=value` each. */
  readonly options: readonly string[];
  /** A command prefix, as `["nsenter", ...]`. */
  readonly within?: readonly string[];
}

export interface SshAnswer {
  /** The handshake went on to authentication. */
  readonly accepted: boolean;
  /** The verdict's kind, from ssh's messages. */
  readonly kind: string;
  /** `file:line` of the line that ssh names, where it names one. */
  readonly at: string | null;
  /** As negotiated. */
  readonly algorithm: string | null;
  readonly stderr: string;
}

export async function askSsh({ host, port, options, within = [] }: SshAsk): Promise<SshAnswer> {
  const [program = "ssh", ...args] = [
    ...within,
    "ssh",
    ...[
      "-v",
      "-F",
      "none",
      "-o",
      "KexAlgorithms=curve25519-sha256",
      "-o",
      "BatchMode=yes",
      "-o",
      "PubkeyAuthentication=no",
      "-p",
      String(port),
    ],
    ...options.flatMap((option) => ["-o", option]),
    ...[host, "true"],
  ];
  const stderr = await new Promise<string>((resolve) => {
    execFile(program, args, { timeout: 20_000 }, (_error, _stdout, text) => resolve(text));
  });
  const accepted = stderr.includes("Authentications that can continue");
  const kind = kindIn(stderr, accepted);
  return {
    accepted,
    kind,
    at: whereIn(stderr, kind),
    algorithm: /kex: host key algorithm: (\S+)/.exec(stderr)?.[1] ?? null,
    stderr,
  };
}

function kindIn(stderr: string, accepted: boolean): string {
  if (/is marked as revoked|revoked by file/.test(stderr)) return "revoked";
  if (/Error checking host key/.test(stderr)) return "revocation-unreadable";
  if (/HAS CHANGED|differs from the key for the IP/.test(stderr)) return "changed";
  // ssh prints this for a certificate before it checks its principals and validity.
  return accepted && /is known and matches the/.test(stderr) ? "match" : "unknown";
}

function whereIn(stderr: string, kind: string): string | null {
  if (kind === "match") return /Found (?:CA )?key in (\S+:\d+)/.exec(stderr)?.[1] ?? null;
  if (kind === "changed") return /Offending (?:\S+ )?key (?:for IP )?in (\S+:\d+)/.exec(stderr)?.[1] ?? null;
  return null;
}
