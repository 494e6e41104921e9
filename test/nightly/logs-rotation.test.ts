/** docs/logs.md, rotation: with logrotate itself, no line of a run is lost or torn, by SIGHUP and by copytruncate. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { PROGRAM } from "../support/cli.js";
import { frame, state } from "../support/records.js";
import { makeTempDir } from "../support/temp-dir.js";
import { findProgram, startProgram, until } from "./logs-programs.js";
import { adapted, writeRecords } from "./logs-rows.js";

const { path, skip } = findProgram("logrotate");

describe("logrotate", { skip }, () => {
  const temp = makeTempDir("logrotate");
  after(() => temp.remove());

  for (const way of ["SIGHUP", "copytruncate"] as const) {
    test(`rotates what a run writes, by ${way}`, async () => {
      const name = way.toLowerCase();
      const file = join(temp.path, `${name}.ndjson`);
      const recording = join(temp.path, `${name}.recording`);
      writeRecords(recording, [frame(), state()], 5000, 20);
      const flags = ["--replay", recording, "--speed", "1", "--output", file];
      const program = startProgram(process.execPath, [PROGRAM, ...flags]);
      const files = (): readonly string[] =>
        readdirSync(temp.path).filter((each) => each.startsWith(`${name}.ndjson`));
      const lines = (): readonly string[] =>
        files().flatMap((each) => readFileSync(join(temp.path, each), "utf8").split("\n").slice(0, -1));
      const config = join(temp.path, `${name}.conf`);
      const example = adapted("allsmi.logrotate", {
        "/var/log/allsmi/*.ndjson /var/log/allsmi/*.jsonl": file,
        "systemctl kill --signal=HUP --kill-whom=main 'allsmi*.service'": `kill -HUP ${program.pid}`,
        "    compress\n": "",
        "    delaycompress\n": "",
      });
      // What docs/logs.md says for a program that cannot be signalled.
      const truncating = example.replace(
        / {4}sharedscripts\n {4}postrotate\n.*\n {4}endscript\n/,
        "    copytruncate\n",
      );
      assert.notEqual(truncating, example);
      writeFileSync(config, way === "SIGHUP" ? example : truncating, { mode: 0o644 });
      for (let round = 1; round <= 3; round++) {
        const before = lines().length;
        await until(program.output, () => lines().length > before + 4);
        const state = join(temp.path, `${name}.state`);
        const rotated = spawnSync(path, ["--force", "--state", state, config], { encoding: "utf8" });
        assert.equal(rotated.status, 0, rotated.stderr);
      }
      const before = lines().length;
      await until(program.output, () => lines().length > before + 4);
      await program.end();
      assert.equal(files().length, 4);
      const records = lines().map((line) => JSON.parse(line) as StreamRecord);
      const ticks = records.flatMap(({ host_id: host, tick }) => (tick === null ? [] : [`${host} ${tick}`]));
      assert.equal(new Set(ticks).size, ticks.length, "no record is there twice");
      const hosts = way === "SIGHUP" ? new Set(records.map(({ host_id: host }) => host)) : [];
      // What is written between the copy and the truncation is lost: that is why SIGHUP is the better way.
      for (const host of hosts) {
        const own = records.filter(({ host_id: id }) => id === host).map(({ tick }) => tick ?? 0);
        assert.deepEqual(
          [...own].sort((one, other) => one - other),
          [...own.keys()],
          `every tick of ${host}`,
        );
      }
      for (const each of files()) assert.ok(!readFileSync(join(temp.path, each)).includes(0), "no hole");
    });
  }
});
