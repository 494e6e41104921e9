/** The command line for the system's `ssh`: what our flags ask for, and what an unattended session needs. */
import type { HostKeyPolicy, SshOptions } from "../../contract/ssh-options.js";
import type { Target } from "../../contract/target.js";
import { quoteValue } from "../plan/fix-command.js";

/** Keepalive for hosts whose config sets none: ssh's default would wait for a frozen peer for ever. */
interface KeepAlive {
  readonly intervalSecs: number;
  readonly countMax: number;
}

export interface OpensshRequest {
  readonly target: Target;
  readonly ssh: Pick<SshOptions, "keyFiles" | "configFile" | "knownHostsFile">;
  /** The policy from flag and config. */
  readonly hostKeyPolicy: HostKeyPolicy;
  /** How long each address of the host may take to answer; ssh itself would wait for minutes. */
  readonly timeoutMs: number;
  /** Null: the config has its own ServerAliveInterval. */
  readonly keepAlive: KeepAlive | null;
  /** Names of session settings that the config has; absent: none. */
  readonly sessionSettings?: readonly string[];
  /** Replaces the config's ProxyJump; absent: ssh uses its own. */
  readonly proxyCommand?: string;
  /** The config's ControlPath. Needed with `proxyCommand`: some of its tokens expand differently than with ProxyJump. */
  readonly controlPath?: string;
  /** False: the config makes ssh use no control master (ControlMaster yes). */
  readonly usesMaster?: boolean;
}

// DEBUG1 is the level that names the offered keys and shows how far the handshake came.
const ALWAYS: readonly string[] = [
  "BatchMode=yes",
  "LogLevel=DEBUG1",
  // A live master is used, as ssh does; none is started, for it would outlive us.
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

/** The option that undoes a session setting of the config, by its name: our command needs an ordinary session. */
const ORDINARY_SESSION: Readonly<Record<string, string>> = {
  sessiontype: "SessionType=default",
  stdinnull: "StdinNull=no",
  forkafterauthentication: "ForkAfterAuthentication=no",
  logverbose: "LogVerbose=none",
};

/**
 * Arguments of `ssh` up to and including the host; the remote command follows. Flags win over the config because ssh uses
 * the first value it sees (ssh_config(5)). They do not apply to jump hosts, which ssh reaches by the config alone.
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
  if (request.usesMaster === false) args.push("-o", "ControlPath=none");
  else if (request.proxyCommand !== undefined && request.controlPath !== undefined) {
    args.push("-o", `ControlPath=${quoteValue(request.controlPath)}`);
  }
  if (request.proxyCommand !== undefined) args.push("-o", `ProxyCommand=${request.proxyCommand}`);
  if (ssh.knownHostsFile !== null) args.push("-o", `UserKnownHostsFile=${quoteValue(ssh.knownHostsFile)}`);
  // As with ssh2: `no` accepts new hosts, and no changed or revoked key.
  const policy = request.hostKeyPolicy === "no" ? "accept-new" : request.hostKeyPolicy;
  args.push("-o", `StrictHostKeyChecking=${policy}`);
  args.push("-o", `ConnectTimeout=${Math.ceil(request.timeoutMs / 1000)}`);
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
