import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { amdSysfsIn, amdSysfsPart, badPageTexts } from "../../../src/shims/kit/amd-sysfs.js";

const DEVICES = "/sys/bus/pci/devices";

/** Runs the part on a copy of /sys that has these files; `bound`: the script's function with a timeout. */
function runOn(files: Readonly<Record<string, string>>, withErrors: boolean, bound: string): string {
  const root = mkdtempSync(join(tmpdir(), "amd-sysfs-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const command = amdSysfsPart("part", withErrors).command.replaceAll(DEVICES, root);
    const printed = execFileSync("sh", ["-c", `${bound}; ${command}`], { encoding: "utf8" });
    return printed.replaceAll(root, DEVICES);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const PAGES = "ras/gpu_vram_bad_pages";
const FILES = {
  [`0000:05:00.0/${PAGES}`]:
    "0x00000001 : 0x00001000 : R\n0x00000002 : 0x00001000 : P\n0x00000003 : 0x00001000 : F\n",
  "0000:05:00.0/ras/umc_err_count": "ue: 1\nce: 25\n",
  "0000:05:00.0/hwmon/hwmon3/in0_input": "793\n",
  "0000:05:00.0/pcie_replay_count": "4\n",
  [`0000:26:00.0/${PAGES}`]: "",
  "0000:31:00.0/vendor": "0x8086\n",
};
const BOUND = 'b() { timeout 20 "$@"; }';

test("pages, errors, voltage and replays of each card that has the driver's files", () => {
  const cards = amdSysfsIn(runOn(FILES, true, BOUND));
  assert.deepEqual(Object.fromEntries(cards), {
    "0000:05:00.0": {
      badPages: { retired: 1, pending: 1, unreservable: 1 },
      corrected: 25,
      uncorrected: 1,
      millivolts: 793,
      replays: 4,
    },
    "0000:26:00.0": {
      badPages: { retired: 0, pending: 0, unreservable: 0 },
      corrected: null,
      uncorrected: null,
      millivolts: null,
      replays: null,
    },
  });
});

test("a host without such files gives no card, and pages alone are read where nothing else is asked", () => {
  assert.equal(amdSysfsIn(runOn({ "0000:31:00.0/vendor": "0x8086\n" }, true, BOUND)).size, 0);
  const card = amdSysfsIn(runOn(FILES, false, BOUND)).get("0000:05:00.0");
  assert.deepEqual(card?.badPages, { retired: 1, pending: 1, unreservable: 1 });
  assert.equal(card.uncorrected, null);
});

test("when the program that prints the flags is killed, no page is counted as retired", () => {
  const cards = amdSysfsIn(runOn(FILES, false, "b() { return 137; }"));
  assert.equal(cards.size, 0);
  const flagsOnly = `${DEVICES}/0000:05:00.0/${PAGES}:0x00000002 : 0x00001000 : P\n`;
  const card = amdSysfsIn(flagsOnly).get("0000:05:00.0");
  assert.equal(card?.badPages, null);
  assert.deepEqual(badPageTexts(card.badPages), {});
});
