/** The fix for a failure of the system's `ssh`, as a command where there is one. */
import type { FailureCode } from "../../contract/record.js";
import type { SshOptions } from "../../contract/ssh-options.js";
import type { Target } from "../../contract/target.js";
import { administratorFix, MAY_SIGN, NAME_A_KEY, takesPasswords } from "../auth/login-refusal.js";
import {
  acceptHostKey,
  addToAgent,
  copyKey,
  makeKey,
  protectKey,
  fixContext,
  type CommandTarget,
  type FixContext,
} from "../plan/fix-command.js";
import type { OpensshLog } from "./log.js";

/** The host that the messages are about. */
export interface OpensshHost {
  /** As typed: `ssh` resolves it through the config. */
  readonly target: Target;
  /** The jump host's name, when the way goes through one. */
  readonly via: string | null;
  /** What `ssh` was started with. */
  readonly ssh: Pick<SshOptions, "keyFiles" | "configFile" | "knownHostsFile">;
}

/** Null: no fix is known. */
export function opensshFix(
  code: FailureCode,
  log: OpensshLog,
  host: OpensshHost,
  here: FixContext = fixContext(),
): string | null {
  const text = log.complaints.join("\n");
  const to: CommandTarget = {
    host: host.target.host,
    user: host.target.user ?? null,
    port: host.target.port ?? null,
    configFile: host.ssh.configFile,
    knownHostsFile: host.ssh.knownHostsFile,
  };
  if (code === "host-key-changed")
    return /^\s*(ssh-keygen (?:-f .* )?-R .*)$/m.exec(text)?.[1]?.trim() ?? null;
  if (code === "host-key-unknown") {
    const place = {
      host: to.host,
      port: to.port ?? 22,
      isPlain: false,
      hash: false,
      keyFiles: host.ssh.keyFiles,
      file: to.knownHostsFile,
    };
    return acceptHostKey(to, place, here);
  }
  if (code === "local-limit") return "raise `ulimit -n` and `ulimit -u`";
  return code === "no-usable-key" || code === "auth-failed" ? loginFix(log, text, to, here) : null;
}

function loginFix(log: OpensshLog, text: string, to: CommandTarget, here: FixContext): string | null {
  if (/Too many authentication failures/.test(text)) return NAME_A_KEY;
  const open = /^Permissions \d+ for '(.+)' are too open/m.exec(text)?.[1];
  if (open !== undefined) return protectKey(open);
  const encrypted = /^[Ll]oad key "(.+)": incorrect passphrase/m.exec(text)?.[1];
  if (encrypted !== undefined) return addToAgent(encrypted, here.agent, here);
  if (/agent refused operation|signing failed for/.test(text)) return MAY_SIGN;
  const methods = /Permission denied \(([^)]*)\)/.exec(text)?.[1]?.split(",") ?? [];
  if (log.tried.length === 0) return noKeyFix(text, methods, to, here);
  const accepted = /^(.+) SHA256:\S+ accepted$/.exec(log.tried.at(-1) ?? "")?.[1];
  // A key that was accepted and not enough: the server asks for a second one, or for a person.
  if (/with partial success/.test(text) || !methods.includes("publickey")) return null;
  // ssh offers the public half first, and only then finds that nobody can type the passphrase.
  if (accepted !== undefined) return accepted === "agent" ? MAY_SIGN : addToAgent(accepted, here.agent, here);
  const offered = log.tried.map((line) => line.replace(/ SHA256:\S+ \w+$/, ""));
  const file = offered.find((source) => source !== "agent") ?? null;
  if (takesPasswords(methods)) return copyKey(to, { file, publicLine: null }, here);
  const line = file === null ? "one of those that ssh-add -L prints" : `the one in ${publicFile(file)}`;
  return administratorFix(line, to.user);
}

function noKeyFix(text: string, methods: readonly string[], to: CommandTarget, here: FixContext): string {
  const missing = /^no such identity: (.+): No such file or directory$/m.exec(text)?.[1];
  if (missing === undefined) return "name a key with --ssh-key, or start ssh-agent and ssh-add one";
  return makeKey(missing, takesPasswords(methods) ? to : null, here);
}

function publicFile(file: string): string {
  return file.endsWith(".pub") ? file : `${file}.pub`;
}
