/** What would fix a login, as a command that works when it is run as printed. */
import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** A host as a command line names it, and those of our flags that `ssh` needs too. */
export interface CommandTarget {
  readonly host: string;
  /** Null: the one in the config. */
  readonly user: string | null;
  readonly port: number | null;
  /** `-F`; null: ssh's own files. */
  readonly configFile: string | null;
  readonly knownHostsFile: string | null;
}

/** The state of this machine, as far as the commands depend on it. */
export interface FixContext {
  exists(path: string): boolean;
  isWritable(path: string): boolean;
  /** False for a file whose last line has no newline: appended text would continue it. */
  endsInLine(path: string): boolean;
  readonly home: string;
  /** SSH_AUTH_SOCK; null when it is unset or empty. */
  readonly agent: string | null;
}

/** The state of the real machine. */
export function fixContext(): FixContext {
  const agent = process.env["SSH_AUTH_SOCK"];
  return {
    exists: existsSync,
    isWritable,
    endsInLine,
    home: process.env["HOME"] ?? ownHome(),
    agent: agent === undefined || agent === "" ? null : agent,
  };
}

/** The same, with each file looked at once: for many hosts, while nothing is changed. */
export function rememberedContext(): FixContext {
  const here = fixContext();
  return {
    ...here,
    exists: remembered((path) => here.exists(path)),
    isWritable: remembered((path) => here.isWritable(path)),
    endsInLine: remembered((path) => here.endsInLine(path)),
  };
}

function remembered(look: (path: string) => boolean): (path: string) => boolean {
  const known = new Map<string, boolean>();
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const now = look(path);
    known.set(path, now);
    return now;
  };
}

/** "" where it cannot be read because no descriptor is left: no folder is created in it then. */
function ownHome(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}

/** A key whose public half the host should get. */
export interface KeyToCopy {
  /** The file of the private key, or of only the public one; null: only an agent has it. */
  readonly file: string | null;
  /** `type base64`; null: not known here, so that all keys of the agent are copied. */
  readonly publicLine: string | null;
}

/** Puts the key into the account's authorized_keys; asks for the password, as the server must allow. */
export function copyKey(to: CommandTarget, key: KeyToCopy, here: FixContext): string {
  const { file } = key;
  const steps: string[] = [];
  // ssh-copy-id keeps its temporary files there.
  if (here.home !== "") makeDir(join(here.home, ".ssh"), here, steps);
  if (file === null && key.publicLine === null)
    return [...steps, `ssh-copy-id ${[...options(to), name(to)].join(" ")}`].join(" && ");
  if (file === null) {
    // ssh-copy-id takes a single key only from a file.
    const append = shellWord("umask 077; mkdir -p .ssh && cat >> .ssh/authorized_keys");
    return `printf '\\n%s\\n' ${shellWord(key.publicLine ?? "")} | ssh ${[...options(to), name(to), append].join(" ")}`;
  }
  const isPublic = file.endsWith(".pub");
  const publicFile = isPublic ? file : `${file}.pub`;
  if (!isPublic && !here.exists(publicFile))
    steps.push(`ssh-keygen -y -f ${shellWord(file)} > ${shellWord(publicFile)}`);
  const force = here.exists(isPublic ? file.slice(0, -".pub".length) : file) ? "" : "-f ";
  steps.push(`ssh-copy-id ${force}${["-i", shellWord(publicFile), ...options(to), name(to)].join(" ")}`);
  return steps.join(" && ");
}

/** Creates a key without a passphrase; with `to`, copies its public half to the host, else prints it. */
export function makeKey(file: string, to: CommandTarget | null, here: FixContext): string {
  const steps: string[] = [];
  makeDir(dirname(file), here, steps);
  steps.push(`ssh-keygen -q -t ed25519 -N '' -f ${shellWord(file)}`);
  if (to === null) return [...steps, `cat ${shellWord(`${file}.pub`)}`].join(" && ");
  if (here.home !== "") makeDir(join(here.home, ".ssh"), here, steps);
  steps.push(`ssh-copy-id ${["-i", shellWord(`${file}.pub`), ...options(to), name(to)].join(" ")}`);
  return steps.join(" && ");
}

/** Adds a key file to the agent that the host's logins use; null: there is none, and one is started. */
export function addToAgent(file: string, agent: string | null, here: FixContext): string {
  const add = `ssh-add ${shellWord(file)}`;
  if (agent === null || !here.exists(agent)) return `eval "$(ssh-agent -s)" && ${add}`;
  return agent === here.agent ? add : `SSH_AUTH_SOCK=${shellWord(agent)} ${add}`;
}

export function protectKey(file: string): string {
  return `chmod 600 ${shellWord(file)}`;
}

/** Where the key of a host is fetched from and added to. */
export interface HostKeyPlace {
  /** As in known_hosts: `host` or `[host]:port`. */
  readonly host: string;
  readonly port: number;
  /** ssh-keyscan can reach the host and known_hosts has it under its own name: no jump, proxy or HostKeyAlias. */
  readonly isPlain: boolean;
  readonly hash: boolean;
  /** `--ssh-key`: `ssh` succeeds only where it can log in. */
  readonly keyFiles: readonly string[];
  /** The known_hosts file that is searched first; null: `ssh` finds it by itself. */
  readonly file: string | null;
}

/** Adds the host's key to known_hosts. */
export function acceptHostKey(to: CommandTarget, place: HostKeyPlace, here: FixContext): string {
  const steps: string[] = [];
  if (place.file !== null) makeDir(dirname(place.file), here, steps);
  if (!place.isPlain || place.file === null) {
    const how = ["-o BatchMode=yes", "-o StrictHostKeyChecking=accept-new"];
    const isNamed = place.file === null || to.knownHostsFile !== null;
    const file = isNamed ? [] : [`-o ${shellWord(`UserKnownHostsFile=${quoteValue(place.file)}`)}`];
    const keys = place.keyFiles.map((key) => `-i ${shellWord(key.replaceAll("%", "%%"))}`);
    return [...steps, `ssh ${[...how, ...file, ...keys, ...options(to), name(to), "true"].join(" ")}`].join(
      " && ",
    );
  }
  const port = place.port === 22 ? "" : `-p ${place.port} `;
  const scan = `ssh-keyscan ${place.hash ? "-H " : ""}${port}${shellWord(place.host)}`;
  const lines = here.endsInLine(place.file) ? scan : `{ echo; ${scan}; }`;
  return [...steps, `${lines} >> ${shellWord(place.file)}`].join(" && ");
}

/** Removes a host's old keys from a known_hosts file. `asked` is the name as in the file. */
export function forgetHostKey(asked: string, file: string, here: FixContext): string {
  const remove = `ssh-keygen -R ${shellWord(asked)} -f ${shellWord(file)}`;
  return here.isWritable(file) ? remove : `sudo ${remove}`;
}

/** Quoted for a POSIX shell; a plain word is unchanged. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function options(to: CommandTarget): string[] {
  const args: string[] = [];
  if (to.configFile !== null) args.push(`-F ${shellWord(to.configFile)}`);
  if (to.knownHostsFile !== null)
    args.push(`-o ${shellWord(`UserKnownHostsFile=${quoteValue(to.knownHostsFile)}`)}`);
  if (to.port !== null) args.push(`-p ${to.port}`);
  return args;
}

function name(to: CommandTarget): string {
  return shellWord(to.user === null ? to.host : `${to.user}@${to.host}`);
}

function makeDir(path: string, here: FixContext, steps: string[]): void {
  const make = `mkdir -p -m 700 ${shellWord(path)}`;
  if (!here.exists(path) && !steps.includes(make)) steps.push(make);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    // ssh-keygen writes a new file in the same folder.
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function endsInLine(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return true;
  }
  try {
    const stats = fstatSync(file);
    const last = Buffer.alloc(1);
    if (!stats.isFile() || stats.size === 0) return true;
    readSync(file, last, 0, 1, stats.size - 1);
    return last[0] === 0x0a;
  } catch {
    return true;
  } finally {
    closeSync(file);
  }
}

/** A path as a config value: quoted, with nothing in it expanded. */
export function quoteValue(path: string): string {
  return `"${path.replaceAll("%", "%%").replaceAll('"', '\\"')}"`;
}
