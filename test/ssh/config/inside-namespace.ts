/** Runs in the namespace that default-files.test.ts makes: one line for each scenario, `agree NAME` or what differs. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { compare } from "./compare.js";
import { DEFAULT_FILE_SCENARIOS, MARKER } from "./default-file-scenarios.js";
import { findOracle } from "./oracle.js";

const { homedir } = userInfo();
const oracle = await findOracle();
if (oracle === null) throw new Error("no ssh");

// What is emptied here must be what the test mounted, never a real home.
for (const directory of [homedir, "/etc/ssh"]) {
  if (!existsSync(join(directory, MARKER))) throw new Error(`${directory} is not the test's own`);
}

for (const { name, files } of DEFAULT_FILE_SCENARIOS) {
  for (const directory of [homedir, "/etc/ssh"]) {
    for (const entry of readdirSync(directory))
      if (entry !== MARKER) rmSync(join(directory, entry), { recursive: true });
  }
  for (const { path, text, mode = 0o600, owner } of files) {
    const full = path.replace(/^~/, homedir);
    mkdirSync(dirname(full), { recursive: true, mode: 0o755 });
    writeFileSync(full, text);
    chmodSync(full, mode);
    if (owner !== undefined) chownSync(full, ...owner);
  }
  const found = await compare(oracle, { config: null, target: { host: "foo" }, env: { HOME: homedir } });
  console.log(
    found.differences.length === 0
      ? `agree ${name}`
      : `${name}: ${found.differences.join("; ").replaceAll("\n", " ")}`,
  );
}
