/** Programs that stand in for vendor tools, in a folder for the remote PATH. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes each as a sh script. */
export function makeTools(dir: string, tools: Readonly<Record<string, string>>): string {
  mkdirSync(dir, { recursive: true });
  for (const [name, body] of Object.entries(tools)) {
    const path = join(dir, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  }
  return dir;
}
