/** Against the real all-smi (0.28.1; from PATH, or ALLSMI_BIN): it plays our recordings, and we play its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import * as zlib from "node:zlib";
import { recordsOf, runCli } from "../support/cli.js";
import { waitFor } from "../support/processes.js";
import { makeTempDir } from "../support/temp-dir.js";
import { noTmux, TmuxWindow } from "../support/tmux.js";

const ALLSMI = process.env["ALLSMI_BIN"] ?? "all-smi";
const version = spawnSync(ALLSMI, ["--version"], { encoding: "utf8" });
const noAllSmi =
  version.status === 0
    ? false
    : "SKIPPED LOUDLY: all-smi is not installed (cargo install all-smi --locked --version 0.28.1)";
const temp = makeTempDir("all-smi");
after(() => temp.remove());

interface Device {
  readonly host_id: string;
  readonly hostname: string;
}
interface RecordedFrame {
  readonly gpus: readonly (Device & { readonly name: string; readonly temperature: number })[];
  readonly cpus: readonly (Device & { readonly cpu_model: string; readonly utilization: number })[];
  readonly memory: readonly (Device & { readonly total_bytes: number })[];
}

/** The lines after the header. */
function framesIn(text: string): readonly RecordedFrame[] {
  const lines = text.trimEnd().split("\n").slice(1);
  return lines.map((line) => JSON.parse(line) as RecordedFrame);
}

describe("--format all-smi-record in all-smi view --replay", { skip: noAllSmi || noTmux }, () => {
  test("each host with GPUs is a tab, with its GPUs, processors and memory", async () => {
    const file = join(temp.path, "fleet.ndjson");
    const run = await runCli(
      ["--demo", "--count", "4", "--interval", "1", "--format", "all-smi-record", "--output", file],
      { isChecked: false },
    );
    assert.equal(run.code, 0, run.stderr);
    const last = framesIn(readFileSync(file, "utf8")).at(-1);
    assert.ok(last !== undefined && last.gpus.length > 8);
    const hosts = [...new Set(last.gpus.map(({ host_id }) => host_id))].sort();
    assert.ok(hosts.length >= 5);

    const window = new TmuxWindow(240, 70);
    try {
      window.type(`${ALLSMI} view --replay ${file}`);
      await window.see(/Tabs:\s+All\s+Users\s+Topology/);
      // All hosts have GPUs in the last frame only.
      const tabs = (): string => window.lines().find((line) => line.startsWith("Tabs:")) ?? "";
      await waitFor("a tab for each host", () => hosts.every((host) => tabs().includes(host)), 30_000);

      // All, Users and Topology come first. The first is shown.
      for (let step = 0; step < 2; step++) window.key("Right");
      for (const host of hosts) {
        window.key("Right");
        const own: RecordedFrame["gpus"] = last.gpus.filter(({ host_id }) => host_id === host);
        const hostname = own[0]?.hostname ?? "";
        await window.see(new RegExp(`GPU .*@ ${hostname} `));
        const lines = window.lines();
        const gpuLines = lines.filter((line) => /^ *GPU .*Util:/.test(line));
        assert.equal(gpuLines.length, own.length, lines.join("\n"));
        assert.ok(gpuLines.every((line) => line.includes(`@ ${hostname} `)));
        // A GPU without readings has none on the screen: no 0.
        for (const [place, { temperature }] of own.entries())
          assert.match(gpuLines[place] ?? "", temperature === 0 ? /Temp: +N\/A/ : /Temp: +\d+°C/);
        const cpu = last.cpus.find(({ host_id }) => host_id === host);
        if (cpu !== undefined)
          assert.ok(
            lines.some((line) => line.includes(cpu.cpu_model.slice(0, 12))),
            lines.join("\n"),
          );
        const memory = last.memory.find(({ host_id }) => host_id === host);
        if (memory !== undefined) assert.ok(lines.some((line) => /(?:Memory|RAM|MEM)/i.test(line)));
      }
      window.key("q");
    } finally {
      window.close();
    }
  });

  for (const name of ["fleet", "missing-readings"]) {
    test(`golden/all-smi-record/${name}: no line is left out`, async () => {
      const golden = new URL(`../../golden/all-smi-record/${name}/expected.txt`, import.meta.url);
      const [last] = framesIn(readFileSync(golden, "utf8")).slice(-1);
      const [gpu] = last?.gpus ?? [];
      const window = new TmuxWindow(200, 50);
      try {
        window.type(`${ALLSMI} view --replay ${golden.pathname}`);
        await window.see(/Tabs:\s+All\s+Users/);
        await window.see(new RegExp(`GPU .*@ ${gpu?.hostname ?? "?"} .*Temp: +${gpu?.temperature ?? "?"}°C`));
      } finally {
        window.close();
      }
    });
  }
});

describe("--replay of what all-smi record writes", { skip: noAllSmi }, () => {
  const canReadZstd = "createZstdDecompress" in zlib;
  for (const codec of ["none", "gzip", "zstd"]) {
    test(`--compress ${codec}`, async () => {
      const file = join(temp.path, `own-${codec}`);
      const args = ["record", "-o", file, "--compress", codec, "--duration", "3s", "--interval", "1"];
      const recorded = spawnSync(ALLSMI, args, { encoding: "utf8" });
      assert.equal(recorded.status, 0, recorded.stderr);
      const run = await runCli(["--replay", file, "--format", "ndjson"]);
      if (codec === "zstd" && !canReadZstd) {
        assert.equal(run.code, 2);
        assert.match(run.stderr, /zstd -dc/);
        return;
      }
      assert.equal(run.code, 0, run.stderr);
      const records = recordsOf(run.stdout);
      assert.ok(records.length >= 2);
      for (const record of records) {
        assert.ok(record.record === "frame");
        assert.ok((record.memory?.[0]?.total_bytes ?? 0) > 0);
      }
      if (codec !== "none") return;
      const shares = framesIn(readFileSync(file, "utf8")).map(({ cpus }) => cpus[0]?.utilization ?? -1);
      for (const [place, record] of records.entries()) {
        const read = record.record === "frame" ? record.cpus?.[0]?.utilization : null;
        assert.ok(Math.abs((read ?? -1) - (shares[place] ?? -1)) < 0.001);
      }
    });
  }
});
