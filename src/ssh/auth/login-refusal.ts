/** A login that the server refused: the error for the record, and what would fix it. */
import { HostError } from "../../contract/errors.js";
import { localLimit } from "../../contract/local-limit.js";
import type { LastError } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import {
  addToAgent,
  copyKey,
  makeKey,
  protectKey,
  fixContext,
  type FixContext,
} from "../plan/fix-command.js";
import { planLabel, commandTargetOf, type HostPlan } from "../plan/plan.js";
import type { IdentityCandidate, Candidates } from "./identity.js";
import type { Skipped } from "./key-sources.js";
import type { Refusal } from "./userauth.js";

/** The fix where the server hung up because it had refused too many keys. */
export const NAME_A_KEY =
  "name the right key with --ssh-key, or with IdentityFile and IdentitiesOnly in the config";

/** The server's banners (RFC 4252, section 5.4). */
export interface ServerReply {
  readonly banner: string;
  /** The part that came after the answer to `none`: it is about our keys. */
  readonly lastWords: string;
  /** The server is OpenSSH's: its banner before that answer is the same for everybody. */
  readonly isSshd: boolean;
}

export const ACCESS_DENIED_FIX =
  "the key is right; the account may not log in now: see the host's sshd log, /etc/nologin, the account's expiry (chage -l) and its PAM rules";
export const MAY_SIGN =
  "let the agent sign when it asks (ssh-add -c, a touch, a lock), or name another key with --ssh-key";
const CERTIFICATE_FIX =
  "see the certificate's validity, principals and authority with ssh-keygen -L, and whether the host trusts that authority";

/** All keys were refused, or there were none to offer. */
export function loginRefusal(
  plan: HostPlan,
  refusal: Refusal,
  candidates: Candidates,
  reply: ServerReply,
  here: FixContext = fixContext(),
): HostError {
  // A key that could not be read may be the right one: the server has not refused it.
  const limit = localLimit(candidates.localLimit, "auth", `${planLabel(plan)}: keys could not be read`);
  if (limit !== null) return limit;
  const skipped = candidates.skipped.map((entry) => `${entry.source} skipped: ${entry.reason}`);
  const tried = [...refusal.tried, ...skipped];
  const takesKeys = refusal.methods.includes("publickey");
  const methods = refusal.methods.join(", ");
  const serverMessage = oneLine(reply.isSshd ? reply.lastWords : reply.banner);
  const name = planLabel(plan);
  const failed = (code: "auth-failed" | "no-usable-key", message: string, fix: string | null): HostError => {
    const more: Partial<LastError> = { tried, ...(fix === null ? {} : { fix }) };
    return new HostError(
      code,
      "auth",
      `${name}: ${message}${serverMessage === "" ? "" : `: "${serverMessage}"`}`,
      more,
    );
  };
  if (!takesKeys) {
    const more = refusal.offered > 0 ? " more" : "";
    return failed("auth-failed", `the server takes no keys${more} (it takes: ${methods || "nothing"})`, null);
  }
  if (!plan.config.pubkeyAuthentication) {
    const fix = "remove PubkeyAuthentication no from the config: the server takes keys";
    return failed("no-usable-key", `the config allows no key (the server takes: ${methods})`, fix);
  }
  const fix = loginFix(plan, refusal, candidates, here);
  return refusal.offered === 0
    ? failed("no-usable-key", `no key that could be offered (the server takes: ${methods})`, fix)
    : failed(
        "auth-failed",
        `the server accepted none of our keys (it takes: ${methods})${userHint(plan)}`,
        fix,
      );
}

/** The account may be the wrong one where nobody chose it. */
function userHint({ config, user }: HostPlan): string {
  if (config.origins.has("user")) return "";
  return `; no user is named, so it was ${user}: USER@${config.originalHost} names another`;
}

function loginFix(plan: HostPlan, refusal: Refusal, candidates: Candidates, here: FixContext): string {
  // A key that exists and cannot be used is more likely the right one than those that were refused.
  const unusable = candidates.skipped.find(({ remedy }) => remedy === "protect" || remedy === "add");
  if (unusable !== undefined) return unusableFix(plan, unusable, here);
  if (refusal.tried.some((line) => line.includes("refused to sign"))) return declinedFix(candidates.keys);
  const plain = candidates.keys.filter((key) => !key.certified);
  const key = plain.find((each) => each.file !== null) ?? plain[0];
  if (key === undefined && candidates.keys.length > 0) return CERTIFICATE_FIX;
  if (key === undefined) return noKeyFix(plan, refusal.methods, candidates, here);
  if (refusal.offered === 0)
    return "name another key with --ssh-key, of a type and size that both sides take";
  const publicLine = `${key.type} ${key.blob.toString("base64")}`;
  if (!takesPasswords(refusal.methods)) return administratorFix(publicLine, plan.user);
  return copyKey(commandTargetOf(plan), { file: key.file, publicLine }, here);
}

/** For a server that takes nothing but keys: there is no login by which we could copy ours. */
export function administratorFix(publicLine: string, user: string | null): string {
  const account = user === null ? "the account" : user;
  return `the server takes nothing but keys: have an administrator (or do it on its console) add to ~/.ssh/authorized_keys of ${account} this line: ${publicLine}`;
}

/** Whether a login with a typed password is possible. */
export function takesPasswords(methods: readonly string[]): boolean {
  return methods.includes("password") || methods.includes("keyboard-interactive");
}

/** For an agent that lists a key and does not sign with it: to add the key again removes its restrictions. */
function declinedFix(keys: readonly IdentityCandidate[]): string {
  const file = keys.find((key) => !key.inMemory && key.file !== null)?.file ?? null;
  return file === null ? MAY_SIGN : `${MAY_SIGN} (it holds ${file})`;
}

/** For a key file that is there and cannot be used. */
export function unusableFix(plan: HostPlan, { file, remedy }: Skipped, here: FixContext): string {
  if (remedy === "protect") return protectKey(file ?? "");
  const { agentSocket } = plan.identity;
  const isDisabled = agentSocket === null && plan.config.origins.has("identityagent");
  if (isDisabled)
    return `remove IdentityAgent none from the config and run ssh-add, or name a key without a passphrase`;
  return addToAgent(file ?? "", agentSocket, here);
}

/** For a login without any key; `methods`: what the server takes. */
export function noKeyFix(
  plan: HostPlan,
  methods: readonly string[],
  { skipped }: Candidates,
  here: FixContext,
): string {
  const wanted = skipped.find(({ remedy }) => remedy === "make")?.file;
  const byDefault = plan.identity.configFiles.find((file) => file.endsWith("/id_ed25519"));
  const file = wanted ?? byDefault;
  if (file === undefined || here.exists(file))
    return "name a key with --ssh-key, or start ssh-agent and ssh-add one";
  return makeKey(file, takesPasswords(methods) ? commandTargetOf(plan) : null, here);
}
