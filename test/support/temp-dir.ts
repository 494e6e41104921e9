/** Temporary folders of a test, gone when it ends. */
import { mkdtempSync, rmSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir {
  readonly path: string;
  remove(): void;
}

/** A fresh folder that other users may pass through but not list. The caller removes it. */
export function makeTempDir(label: string): TempDir {
  const path = mkdtempSync(join(tmpdir(), `allsmi-${label}-`));
  chmodSync(path, 0o711);
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
