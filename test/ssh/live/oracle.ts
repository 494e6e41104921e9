/** The oracle: OpenSSH's own `ssh -o BatchMode=yes HOST true`, and the meaning of its messages. */
import { execFile } from "node:child_process";
import type { Outcome, Reason } from "./outcome.js";

// In the order of certainty: ssh prints several messages for one failure.
const MESSAGES: readonly (readonly [RegExp, Reason])[] = [
  [/REVOKED HOST KEY|revoked by file|Error checking host key .* in revoked keys file/, "host-key-revoked"],
  [/IDENTIFICATION HAS CHANGED/, "host-key-changed"],
  [/no matching host key type found|Bad server host key: Invalid key length/, "host-key-algorithm"],
  [/no matching (key exchange method|cipher|MAC) found/, "no-common-algorithm"],
  [/Host key verification failed/, "host-key-unknown"],
  [/Permission denied \(|Too many authentication failures|no authentication methods enabled/, "auth"],
  [/Bad packet length|message authentication code incorrect/, "protocol"],
  [/Could not resolve hostname|open failed: connect failed: .*not known/, "name"],
  [/banner exchange: .*timed out|during banner exchange/, "timeout"],
  [/Connection refused/, "refused"],
  [/Connection timed out/, "timeout"],
  [/No route to host|Network is unreachable|Cannot assign requested address/, "network"],
  [
    /Bad configuration option|bad configuration|Bad owner or permissions|Bad .* spec|Unsupported option|command-line line|jumphost loop|Cannot execute command-line and remote command/i,
    "config",
  ],
  [
    /invalid characters|banner line too long|Protocol major versions differ|banner line \d|No banner|too many lines before/i,
    "not-ssh",
  ],
];

export interface OracleRun {
  readonly configFile: string;
  readonly keyFiles: readonly string[];
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  /** Lines that only a proxy prints: with one of them, the proxy failed. */
  readonly proxied: boolean;
}

const LIMIT_MS = 10_000;

/** Runs ssh to its end. `hung`: it had to be killed. */
export function askOracle(run: OracleRun): Promise<Outcome | "hung"> {
  const keys = run.keyFiles.flatMap((file) => ["-i", file]);
  const args = ["-F", run.configFile, "-o", "BatchMode=yes", ...keys, "--", run.target, "true"];
  return new Promise((resolve) => {
    const env = { ...run.env, SSH_ASKPASS_REQUIRE: "never" };
    const child = execFile(
      "ssh",
      args,
      { env, timeout: LIMIT_MS, killSignal: "SIGKILL" },
      (error, _stdout, stderr) => {
        if (error === null) resolve({ kind: "reached", status: 0 });
        else if (error.killed === true) resolve("hung");
        else if (typeof error.code === "number" && error.code !== 255) {
          resolve({ kind: "reached", status: error.code });
        } else resolve({ kind: "refused", reason: reasonOf(stderr, run.proxied), message: stderr.trim() });
      },
    );
    child.stdin?.end();
  });
}

/** Why ssh gave up, from its messages. */
function reasonOf(stderr: string, proxied: boolean): Reason {
  // The proxy's ssh prints first; then ours prints that nothing arrived.
  if (
    proxied &&
    /Connection (closed|reset) by UNKNOWN|banner exchange: Connection to UNKNOWN|by UNKNOWN port/.test(stderr)
  ) {
    const far = /open failed: connect failed: (.*)/.exec(stderr)?.[1];
    const found =
      far === undefined
        ? undefined
        : MESSAGES.find(([pattern]) => pattern.test(`open failed: connect failed: ${far}`));
    return found?.[1] ?? "proxy";
  }
  return MESSAGES.find(([pattern]) => pattern.test(stderr))?.[1] ?? "lost";
}
