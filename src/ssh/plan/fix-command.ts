/** What would mend a login, as a command that works when it is run as it is printed. */
import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** A host as a command line names it, and the flags of ours that `ssh` must be given too. */
export interface CommandTarget {
  readonly host: string;
  /** Null: what the config says. */
  readonly user: string | null;
  readonly port: number | null;
  /** `-F`; null: ssh's own files. */
  readonly configFile: string | null;
  readonly knownHostsFile: string | null;
}

/** What is there on this machine, as far as the commands depend on it. */
export interface FixContext {
  exists(path: string): boolean;
  isWritable(path: string): boolean;
  /** False for a file whose last line has no newline: what is appended would be glued to it. */
  endsInLine(path: string): boolean;
  readonly home: string;
  /** SSH_AUTH_SOCK; null when it is unset or empty. */
  readonly agent: string | null;
}

/** As this process sees them. */
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

/** "" where it cannot be read for want of descriptors: then no folder is made in it. */
function ownHome(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}

/** A key whose public half the host should get. */
export interface KeyToCopy {
  /** The file of the private half, or of the public one alone; null: only an agent has it. */
  readonly file: string | null;
  /** `type base64`; null: not known here, so that all keys of the agent are copied. */
  readonly publicLine: string | null;
}

/** Puts the key into the account's authorized_keys; asks for the password, as the server must allow. */
export function copyKey(to: CommandTarget, key: KeyToCopy, here: FixContext): string {
  const { file } = key;
  const steps: string[] = [];
  // ssh-copy-id keeps its notes there.
  if (here.home !== "") makeDir(join(here.home, ".ssh"), here, steps);
  if (file === null && key.publicLine === null)
    return [...steps, `ssh-copy-id ${[...options(to), name(to)].join(" ")}`].join(" && ");
  if (file === null) {
    // ssh-copy-id takes a single key from a file alone.
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

/** Makes a key without a passphrase; with `to`, gives the host its public half, else shows it. */
export function makeKey(file: string, to: CommandTarget | null, here: FixContext): string {
  const steps: string[] = [];
  makeDir(dirname(file), here, steps);
  steps.push(`ssh-keygen -q -t ed25519 -N '' -f ${shellWord(file)}`);
  if (to === null) return [...steps, `cat ${shellWord(`${file}.pub`)}`].join(" && ");
  if (here.home !== "") makeDir(join(here.home, ".ssh"), here, steps);
  steps.push(`ssh-copy-id ${["-i", shellWord(`${file}.pub`), ...options(to), name(to)].join(" ")}`);
  return steps.join(" && ");
}

/** Gives a key file to the agent that the host's logins ask; null: there is none, and one is started. */
export function addToAgent(file: string, agent: string | null, here: FixContext): string {
  const add = `ssh-add ${shellWord(file)}`;
  if (agent === null || !here.exists(agent)) return `eval "$(ssh-agent -s)" && ${add}`;
  return agent === here.agent ? add : `SSH_AUTH_SOCK=${shellWord(agent)} ${add}`;
}

export function protectKey(file: string): string {
  return `chmod 600 ${shellWord(file)}`;
}

/** Where and as whom a host's key is asked for. */
export interface HostKeyPlace {
  /** As known_hosts has it: `host` or `[host]:port`. */
  readonly host: string;
  readonly port: number;
  /** ssh-keyscan gets there and known_hosts has the host under its own name: no jump, proxy or HostKeyAlias. */
  readonly isPlain: boolean;
  readonly hash: boolean;
  /** `--ssh-key`: `ssh` ends well only where it is let in. */
  readonly keyFiles: readonly string[];
  /** The known_hosts file that is asked first; null: `ssh` finds it by itself. */
  readonly file: string | null;
}

/** Takes the host's key into known_hosts. */
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

/** Takes a host's old keys out of a known_hosts file. `asked` is the name as the file has it. */
export function forgetHostKey(asked: string, file: string, here: FixContext): string {
  const remove = `ssh-keygen -R ${shellWord(asked)} -f ${shellWord(file)}`;
  return here.isWritable(file) ? remove : `sudo ${remove}`;
}

/** For a POSIX shell; a plain word stays as it is. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function options(to: CommandTarget): string[] {
  const words: string[] = [];
  if (to.configFile !== null) words.push(`-F ${shellWord(to.configFile)}`);
  if (to.knownHostsFile !== null)
    words.push(`-o ${shellWord(`UserKnownHostsFile=${quoteValue(to.knownHostsFile)}`)}`);
  if (to.port !== null) words.push(`-p ${to.port}`);
  return words;
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
    // ssh-keygen writes a new file beside it.
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

/** A path as a config value: quoted, and without tokens or variables to expand. */
export function quoteValue(path: string): string {
  return `"${path.replaceAll("%", "%%").replaceAll('"', '\\"')}"`;
}
