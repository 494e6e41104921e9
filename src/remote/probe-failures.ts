/** Why a probe failed: the host's shell hung or died, or the account is let in and may run nothing. Pure. */
import { HostError } from "../contract/errors.js";
import { oneLine } from "../lib/text.js";
import type { PartOutputs } from "../shims/kit/shim.js";
import { endMessage, hasClosed, type AnswerEnd } from "./ended.js";
import type { Answer } from "./lane.js";

/** The output of a host that did not run our script. Throws HostError where the shell itself hung or died. */
export function foreignOutput(answer: Answer): string {
  const { end } = answer;
  if (end.kind === "hung" || end.kind === "signal" || end.kind === "flooded") throw shellFailure(answer);
  return answer.otherOutput;
}

/** For a shell that hung, or ended before its answer did. */
export function shellFailure({ end, latencyMs }: Answer): HostError {
  if (hasClosed(end) || end.kind === "flooded")
    return new HostError("connection-lost", "probe", endMessage(end));
  const secs = Math.round(latencyMs / 1000);
  return new HostError("probe-timeout", "probe", `the host's shell gave no answer within ${secs} s`, {
    fix: "see whether the login shell's rc files or the home directory hang",
  });
}

/** The server ran nothing at all. */
export function commandRefused(reason: string): HostError {
  return new HostError("no-tool", "probe", `the server runs no command for us: ${reason}`, {
    fix: "see sshd_config on the host for what this account may do (ForceCommand, MaxSessions)",
  });
}

// ---- accounts that may run nothing

export interface LoginDenial {
  readonly error: HostError;
  /** No other command can succeed. False: the account may be allowed another command, which is still to be tried. */
  readonly isCertain: boolean;
}

/** Messages of nologin(8), sshd's do_pwchange and do_nologin, pam_unix, pam_nologin, pam_limits; git-shell and its like. */
const OF_THE_ACCOUNT =
  /\baccount is (currently |temporarily )?(not available|disabled|locked|suspended|expired)|\b(account|password) has expired|password change required|(required to|must) change your password|not permitted to log ?in|too many logins for|(logins?|shell access|interactive (shell|git shell|login)s?) (is|are) (currently |temporarily )?(disabled|not (allowed|permitted|enabled|available))|does not provide shell access/i;
/** Messages of programs (ForceCommand, pam_slurm_adopt, rbash) that may let another command through. */
const OF_THE_COMMAND =
  /\b(access|login|connection) (is )?(denied|refused)\b|\bnot authori[sz]ed\b|\bpam_\w+/i;
/** sshd's own exit status where it refuses after the login: /etc/nologin, a PAM session that does not open. */
const SSHD_REFUSED = 254;

/**
 * `output` is all that came instead of our shell's answer, `end` how the answer ended. Null where this is no denial, as
 * far as can be seen: then it is a host without a POSIX shell.
 */
export function loginDenial(output: string, end: AnswerEnd): LoginDenial | null {
  if (end.kind !== "exit" && end.kind !== "lost") return null;
  const message = oneLine(output);
  const code = end.kind === "exit" ? end.code : null;
  const isOfAccount = OF_THE_ACCOUNT.test(message) || code === SSHD_REFUSED;
  // /bin/false and /bin/true, as login shells, print nothing; so does a forced command that lets one command through.
  const isSilent = message === "" && code !== null;
  if (!isOfAccount && !isSilent && !OF_THE_COMMAND.test(message)) return null;
  return { error: denied(message, code), isCertain: isOfAccount };
}

function denied(message: string, code: number | null): HostError {
  const how = code === null ? "the connection ended" : `exit code ${code}`;
  const why = message === "" ? `it ends every command without a message (${how})` : `"${message}" (${how})`;
  return new HostError("access-denied", "probe", `the account is let in and may run nothing: ${why}`, {
    fix: "see the account on the host: its login shell (getent passwd), expiry (chage -l), /etc/nologin, ForceCommand and PAM rules",
  });
}

/** What plain commands found, unless the denial explains why they found nothing. */
export async function unlessDenied<T extends { readonly outputs: PartOutputs }>(
  probing: Promise<T>,
  denial: LoginDenial | null,
): Promise<T> {
  const found = await probing.catch((error: unknown) => {
    throw denial !== null && foundNothing(error) ? denial.error : error;
  });
  const outputs = [...found.outputs.values()];
  // The first answer may have been cut off on a busy host: then the refusal is what the plain commands print.
  const hasWorked = outputs.some(({ end }) => end.kind === "exit" && end.code === 0);
  for (const { stdout, stderr, end } of hasWorked ? [] : outputs) {
    const message = oneLine(`${stdout} ${stderr}`);
    if (OF_THE_ACCOUNT.test(message)) throw denied(message, end.kind === "exit" ? end.code : null);
  }
  // A shell that exits with 0 whatever it is given is not a tool that printed nothing.
  if (denial !== null && outputs.every((output) => `${output.stdout}${output.stderr}`.trim() === ""))
    throw denial.error;
  return found;
}

function foundNothing(error: unknown): boolean {
  return error instanceof HostError && ["no-tool", "connection-lost"].includes(error.failure.code);
}
