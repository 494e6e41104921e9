/** Access to the file system for the configuration: reading with ssh's permission check, and globbing. */
import { lstat, readdir } from "node:fs/promises";
import { existsSync, readFileSync, type Stats } from "node:fs";
import { readFileBounded } from "../../lib/bounded-file.js";
import type { ConfigFiles, FileText } from "./load.js";
import { globMatcher, hasWildcard, unescapeGlob } from "./glob-pattern.js";

const MAX_CONFIG_BYTES = 64 * 1024 * 1024;
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;

/** The real files, for a process of user `uid`. */
export function localFiles(uid: number): ConfigFiles {
  return {
    read: (path, checkPermissions) => readConfigFile(path, checkPermissions ? uid : null),
    glob: expandGlob,
  };
}

/** Reads a file after fstat on the open file, as ssh does; `uid` null: permissions do not matter. */
async function readConfigFile(path: string, uid: number | null): Promise<FileText> {
  try {
    const { bytes, stats } = await readFileBounded(path, MAX_CONFIG_BYTES);
    if (uid !== null && !isSecure(stats, uid)) return { kind: "insecure" };
    return { kind: "text", text: bytes.toString("utf8") };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = "code" in error ? error.code : null;
    // A directory can be opened, but has no lines.
    if (code === "EISDIR") return { kind: "text", text: "" };
    return code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", reason: error.message };
  }
}

/** Owned by root or by us and writable by nobody else (secure_permissions in readconf.c). */
export function isSecure(
  { uid: owner, gid, mode }: Pick<Stats, "uid" | "gid" | "mode">,
  uid: number,
): boolean {
  if (owner !== 0 && owner !== uid) return false;
  if ((mode & OTHERS_WRITE) !== 0) return false;
  return (mode & GROUP_WRITE) === 0 || (existsSync("/etc/debian_version") && isPrivateGroup(gid, owner, uid));
}

/** Debian's ssh lets a group write when the owner is its only member. */
function isPrivateGroup(gid: number, owner: number, uid: number): boolean {
  const group = database("/etc/group").find((entry) => Number(entry[2]) === gid);
  if (group === undefined) return false;
  const users = database("/etc/passwd");
  const primary = users.filter((entry) => Number(entry[3]) === gid);
  if (primary.some((entry) => Number(entry[2]) !== uid)) return false;
  const ownerName = users.find((entry) => Number(entry[2]) === owner)?.[0];
  if (ownerName === undefined) return false;
  const members = (group[3] ?? "").split(",").filter((name) => name !== "");
  if (members.length > 0) return members.length === 1 && members[0] === ownerName;
  return primary.length > 0;
}

/** The entries of a colon-separated system file; empty when it cannot be read. */
export function database(path: string): readonly (readonly string[])[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

/** Paths that match, sorted by bytes. A pattern without wildcards matches its one path, if that exists. */
async function expandGlob(pattern: string): Promise<readonly string[]> {
  const parts = pattern.split("/");
  let found = [""];
  for (const [index, part] of parts.entries()) {
    const separator = index === 0 ? "" : "/";
    if (part === "" || !hasWildcard(part)) {
      found = found.map((base) => base + separator + unescapeGlob(part));
      continue;
    }
    const matches = globMatcher(part);
    const next: string[] = [];
    for (const base of found) {
      for (const name of await namesIn(base + separator))
        if (matches(name)) next.push(base + separator + name);
    }
    found = next;
  }
  const existing: string[] = [];
  for (const path of found) if (await exists(path)) existing.push(path);
  return existing.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory === "" ? "." : directory);
  } catch {
    return [];
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
