/** The real all-smi behind a real sshd: what it prints on the spot is what comes out here. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FrameRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { missing, sshArgs, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const SECTIONS = ["gpus", "cpus", "memory", "chassis", "processes", "storage"] as const;
const INCLUDE = "gpu,cpu,memory,chassis,process,storage";

const allSmi = [...(process.env["PATH"] ?? "").split(":"), join(homedir(), ".cargo/bin")]
  .map((folder) => join(folder, "all-smi"))
  .find((path) => existsSync(path));
const skip =
  missing ??
  (allSmi === undefined
    ? "SKIPPED LOUDLY: no all-smi on PATH or in ~/.cargo/bin (cargo install all-smi --locked)"
    : false);

/** Fields that are the same at every moment, by section. */
const STEADY: Readonly<Partial<Record<(typeof SECTIONS)[number], readonly string[]>>> = {
  cpus: [
    "index",
    "cpu_model",
    "architecture",
    "platform_type",
    "socket_count",
    "total_cores",
    "total_threads",
  ],
  memory: ["index", "total_bytes", "swap_total_bytes"],
  chassis: ["detail"],
};

test("native frames hold what all-smi prints, under this host's labels", { skip }, async (t) => {
  assert(allSmi !== undefined);
  const temp = makeTempDir("native");
  const bin = join(temp.path, "bin");
  mkdirSync(bin);
  // Its own home may be closed to the user of the test's host.
  copyFileSync(allSmi, join(bin, "all-smi"));
  const sshd = await startSshd({ bin, shell: "/bin/sh" });
  try {
    const run = await runCli([
      ...[...sshArgs(sshd), "--format", "ndjson", "--include", INCLUDE],
      ...["--interval", "4", "--count", "2"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    const frames = recordsOf(run.stdout).filter((record) => record.record === "frame");
    assert.equal(frames.length, 2, run.stdout);

    const direct: unknown = JSON.parse(
      execFileSync(join(bin, "all-smi"), ["snapshot", "--format", "json", "--include", INCLUDE], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
    for (const frame of frames) {
      assert.equal(frame.transport, "native");
      assert.equal(frame.schema, 1);
      for (const section of SECTIONS) {
        const there = devices(direct, section);
        const here = devices(frame, section);
        // The test's host has processes and mounts of its own.
        if (section !== "processes" && section !== "storage")
          assert.equal(here.length, there.length, section);
        for (const device of here) {
          assert.equal(device["host_id"], `${sshd.user}@127.0.0.1:${sshd.port}`);
          assert.equal(device["hostname"], "127.0.0.1");
        }
        there.forEach((device, index) => {
          const got = here[index] ?? {};
          for (const field of STEADY[section] ?? [])
            assert.deepEqual(got[field], device[field], `${section}.${field}`);
          if (section !== "processes")
            assert.deepEqual(
              Object.keys(device).filter((key) => !(key in got)),
              [],
              `${section} keeps every field`,
            );
        });
      }
      noSentinel(frame);
    }
    t.diagnostic(
      `all-smi: ${frames.length} frames, ${SECTIONS.map((name) => `${devices(frames[0], name).length} ${name}`).join(", ")}`,
    );
  } finally {
    await sshd.stop();
    temp.remove();
  }
});

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function devices(snapshot: unknown, section: string): readonly Fields[] {
  const list = isFields(snapshot) ? snapshot[section] : undefined;
  return Array.isArray(list) ? list.filter(isFields) : [];
}

/** -1 stands for "not reported" in all-smi's utilization and power, 0 in temperature. */
function noSentinel(frame: FrameRecord): void {
  for (const device of [...(frame.gpus ?? []), ...(frame.cpus ?? [])]) {
    assert.notEqual(device["utilization"], -1);
    assert.notEqual(device["power_consumption"], -1);
    assert.notEqual(device["temperature"], 0);
  }
}
