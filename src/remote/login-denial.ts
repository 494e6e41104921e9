/** An account that is let in and may run nothing: what its login shell, or sshd in its place, says then. Pure. */
import { HostError } from "../contract/errors.js";
import { oneLine } from "../lib/text.js";
import type { PartOutputs } from "../shims/kit/shim.js";
import type { LaneEnd } from "./lane.js";

export interface LoginDenial {
  readonly error: HostError;
  /** No other command can fare better. False: one that the account may run is still to be looked for. */
  readonly isCertain: boolean;
}

/** nologin(8), sshd's do_pwchange and do_nologin, pam_unix, pam_nologin, pam_limits; git-shell and its like. */
const OF_THE_ACCOUNT =
  /\baccount is (currently |temporarily )?(not available|disabled|locked|suspended|expired)|\b(account|password) has expired|password change required|(required to|must) change your password|not permitted to log ?in|too many logins for|(logins?|shell access|interactive (shell|git shell|login)s?) (is|are) (currently |temporarily )?(disabled|not (allowed|permitted|enabled|available))|does not provide shell access/i;
/** Said by sentries (ForceCommand, pam_slurm_adopt, rbash) that may let another command through. */
const OF_THE_COMMAND =
  /\b(access|login|connection) (is )?(denied|refused)\b|\bnot authori[sz]ed\b|\bpam_\w+/i;
/** sshd's own exit status where it says no after the login: /etc/nologin, a PAM session that does not open. */
const SSHD_SAYS_NO = 254;

/**
 * `said` is all that came instead of our shell's answer, `end` how the channel ended; null while it stands. Null where
 * this is no denial, for all that can be told: then it is a host without a POSIX shell.
 */
export function loginDenial(said: string, end: LaneEnd | null): LoginDenial | null {
  if (end === null || end.kind === "signal" || end.kind === "flooded") return null;
  const words = oneLine(said);
  const code = end.kind === "exit" ? end.code : null;
  const isOfAccount = OF_THE_ACCOUNT.test(words) || code === SSHD_SAYS_NO;
  // /bin/false and /bin/true, as login shells, are silent; so is a sentry that lets one command through.
  const isSilent = words === "" && code !== null;
  if (!isOfAccount && !isSilent && !OF_THE_COMMAND.test(words)) return null;
  const how = code === null ? "the connection ended" : `exit code ${code}`;
  const why = words === "" ? `it ends every command without a word (${how})` : `"${words}" (${how})`;
  const error = new HostError("access-denied", "probe", `the account is let in and may run nothing: ${why}`, {
    fix: "see the account on the host: its login shell (getent passwd), expiry (chage -l), /etc/nologin, ForceCommand and PAM rules",
  });
  return { error, isCertain: isOfAccount };
}

/** What plain commands found, unless the denial explains why they found nothing. */
export async function unlessDenied<T extends { readonly outputs: PartOutputs }>(
  probing: Promise<T>,
  denial: LoginDenial | null,
): Promise<T> {
  if (denial === null) return probing;
  const found = await probing.catch((error: unknown) => {
    throw foundNothing(error) ? denial.error : error;
  });
  // A shell that ends with 0 whatever it is given is no tool that has nothing to say.
  if ([...found.outputs.values()].every((output) => `${output.stdout}${output.stderr}`.trim() === ""))
    throw denial.error;
  return found;
}

function foundNothing(error: unknown): boolean {
  return error instanceof HostError && ["no-tool", "connection-lost"].includes(error.failure.code);
}
