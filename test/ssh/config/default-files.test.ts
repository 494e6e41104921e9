/** ~/.ssh/config and /etc/ssh/ssh_config against the installed ssh, in a mount namespace with a home of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { DEFAULT_FILE_SCENARIOS, MARKER } from "./default-file-scenarios.js";
import { findOracle } from "./oracle.js";

const { homedir } = userInfo();
const INSIDE = fileURLToPath(new URL("./inside-namespace.ts", import.meta.url));
const MOUNT = 'mount --bind "$1" "$2" && mount --bind "$3" /etc/ssh && shift 3 && exec "$@"';

/** Null when everything that the namespace needs is here. */
async function whyNot(): Promise<string | null> {
  if ((await findOracle()) === null) return "SKIPPED: no OpenSSH client here";
  const hidden = [process.execPath, process.cwd()].find((path) => path.startsWith(`${homedir}/`));
  if (hidden !== undefined) return `SKIPPED: another home would hide ${hidden}`;
  try {
    execFileSync("unshare", ["-m", "sh", "-c", "mount --bind /tmp /etc/ssh"], { stdio: "ignore" });
    return null;
  } catch {
    return "SKIPPED: no right to mount in a namespace of our own";
  }
}

const reason = await whyNot();

test("default files", { skip: reason ?? false }, (context) => {
  const root = mkdtempSync(join(tmpdir(), "allsmi-ssh-home-"));
  try {
    for (const directory of ["home", "etc"]) {
      mkdirSync(join(root, directory), { mode: 0o755 });
      writeFileSync(join(root, directory, MARKER), "");
    }
    const mounts = [join(root, "home"), homedir, join(root, "etc")];
    const program = [process.execPath, "--import", "tsx", INSIDE];
    const stdout = execFileSync("unshare", ["-m", "sh", "-c", MOUNT, "sh", ...mounts, ...program], {
      encoding: "utf8",
    });
    const lines = stdout.trim().split("\n");
    assert.deepEqual(
      lines.filter((line) => !line.startsWith("agree ")),
      [],
    );
    assert.equal(lines.length, DEFAULT_FILE_SCENARIOS.length);
    context.diagnostic(`${lines.length} default-file scenarios agree with ssh -G`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
