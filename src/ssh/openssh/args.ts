/** The command line that makes the system's `ssh` do what our flags say. */
import type { HostKeyPolicy, SshOptions } from "../../contract/ssh-options.js";
import type { Target } from "../../contract/target.js";
import { quoteValue } from "../plan/fix-command.js";

/** Keepalive for hosts whose config sets none: ssh's own default would wait for a frozen peer for ever. */
interface KeepAlive {
  readonly intervalSecs: number;
  readonly countMax: number;
}

export interface OpensshRequest {
  readonly target: Target;
  readonly ssh: Pick<SshOptions, "keyFiles" | "configFile" | "knownHostsFile">;
  /** What flag and config come to. */
  readonly hostKeyPolicy: HostKeyPolicy;
  /** Null: the config has its own ServerAliveInterval. */
  readonly keepAlive: KeepAlive | null;
  /** Names of session settings that the config has; absent: none. */
  readonly sessionSettings?: readonly string[];
  /** Goes in the place of the config's ProxyJump; absent: ssh takes its own way. */
  readonly proxyCommand?: string;
  /** With `proxyCommand`, which tokens of ControlPath can tell from a jump: where the config has it. */
  readonly controlPath?: string;
  /** False: the config has ssh ride on no control master (ControlMaster yes). */
  readonly ridesOnMaster?: boolean;
}

// DEBUG1 is what names the keys that were offered and how far the handshake came.
const ALWAYS: readonly string[] = [
  "BatchMode=yes",
  "LogLevel=DEBUG1",
  // A master that lives is used, as ssh does; none is started, for it would outlive us.
  "ControlMaster=no",
  "ControlPersist=no",
  "ClearAllForwardings=yes",
  "PermitLocalCommand=no",
  "ForwardX11=no",
  "ForwardAgent=no",
  "RemoteCommand=none",
  "EscapeChar=none",
  "VisualHostKey=no",
  // Reading a host leaves nothing behind: no key in the agent, no line in known_hosts.
  "AddKeysToAgent=no",
  "UpdateHostKeys=no",
];

/** What takes a session setting of the config back, by its name there: our command needs an ordinary session. */
const ORDINARY_SESSION: Readonly<Record<string, string>> = {
  sessiontype: "SessionType=default",
  stdinnull: "StdinNull=no",
  forkafterauthentication: "ForkAfterAuthentication=no",
  logverbose: "LogVerbose=none",
};

/**
 * Arguments of `ssh` up to and with the host; the remote command follows. Flags win over the config because ssh takes
 * the first value it sees (ssh_config(5)). They are not the jump hosts', which ssh reaches by the config alone.
 */
export function opensshArguments(request: OpensshRequest): string[] {
  const { target, ssh, keepAlive } = request;
  const args = ["-T"];
  if (ssh.configFile !== null) args.push("-F", ssh.configFile);
  for (const option of ALWAYS) args.push("-o", option);
  for (const name of request.sessionSettings ?? []) {
    const option = ORDINARY_SESSION[name];
    if (option !== undefined) args.push("-o", option);
  }
  if (request.ridesOnMaster === false) args.push("-o", "ControlPath=none");
  else if (request.proxyCommand !== undefined && request.controlPath !== undefined) {
    args.push("-o", `ControlPath=${quoteValue(request.controlPath)}`);
  }
  if (request.proxyCommand !== undefined) args.push("-o", `ProxyCommand=${request.proxyCommand}`);
  if (ssh.knownHostsFile !== null) args.push("-o", `UserKnownHostsFile=${quoteValue(ssh.knownHostsFile)}`);
  // As with ssh2: `no` takes new hosts in, and no changed or revoked key.
  const policy = request.hostKeyPolicy === "no" ? "accept-new" : request.hostKeyPolicy;
  args.push("-o", `StrictHostKeyChecking=${policy}`);
  if (keepAlive !== null) {
    args.push("-o", `ServerAliveInterval=${keepAlive.intervalSecs}`);
    args.push("-o", `ServerAliveCountMax=${keepAlive.countMax}`);
  }
  for (const file of ssh.keyFiles) args.push("-i", file.replaceAll("%", "%%"));
  if (target.user !== undefined) args.push("-l", target.user);
  if (target.port !== undefined) args.push("-p", String(target.port));
  args.push("--", target.host);
  return args;
}
