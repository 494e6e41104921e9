/** docs/logs.md, Fluent Bit: what it pushes by Loki's protocol has two labels, and the rows that were printed. */
import assert from "node:assert/strict";
import { copyFileSync, createReadStream, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeTempDir } from "../support/temp-dir.js";
import { findProgram, startProgram, startSink, until, type Sink } from "./logs-programs.js";
import { adapted, exampleFile, flattened, sortedTexts, writeRows, type Row } from "./logs-rows.js";

const { path, skip } = findProgram("fluent-bit");

interface Push {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [nanoseconds: string, line: string])[];
  }[];
}

describe("Fluent Bit", { skip }, () => {
  const temp = makeTempDir("fluent-bit");
  after(() => temp.remove());
  copyFileSync(exampleFile("parsers.yaml"), join(temp.path, "parsers.yaml"));

  function pushed(sink: Sink): readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly time: string;
    readonly row: Row;
  }[] {
    return sink.bodies.flatMap((body) =>
      (JSON.parse(body) as Push).streams.flatMap(({ stream, values }) =>
        values.map(([time, line]) => ({ labels: stream, time, row: JSON.parse(line) as Row })),
      ),
    );
  }

  function assertPushed(sink: Sink, rows: readonly Row[], hasOwnTime: boolean): void {
    const entries = pushed(sink);
    for (const { labels, time, row } of entries) {
      assert.deepEqual(labels, { job: "allsmi", host: row["hostname"] });
      if (hasOwnTime) assert.equal(time, `${Date.parse(String(row["timestamp"]))}000000`);
    }
    assert.deepEqual(
      sortedTexts(entries.map(({ row }) => flattened(row))),
      sortedTexts(rows.map((row) => flattened(row))),
    );
  }

  test("takes fluent-bit.yaml: the file's rows", async () => {
    const file = join(temp.path, "rows.ndjson");
    const rows = await writeRows(file);
    const sink = await startSink();
    const config = join(temp.path, "fluent-bit.yaml");
    writeFileSync(
      config,
      adapted("fluent-bit.yaml", {
        "/var/log/allsmi/rows.ndjson": file,
        "/var/lib/fluent-bit/allsmi.db": join(temp.path, "allsmi.db"),
        "port: 3100": `port: ${sink.port}`,
      }),
    );
    const bit = startProgram(path, ["--config", config], temp.path);
    try {
      await until(bit.output, () => pushed(sink).length >= rows.length);
      assertPushed(sink, rows, true);
    } finally {
      await bit.end();
      sink.close();
    }
  });

  test("takes a pipe as well", async () => {
    const file = join(temp.path, "piped.ndjson");
    const rows = await writeRows(file);
    const sink = await startSink();
    const config = join(temp.path, "stdin.yaml");
    const text = adapted("fluent-bit.yaml", { "port: 3100": `port: ${sink.port}` });
    // The comment that is the other input, in place of the first.
    const piped = text
      .replace(/ {4}- name: tail\n(?: {6}.*\n)+/, "")
      .replaceAll(/^ {4}# (- name: stdin| {2}\w+: allsmi)$/gm, "    $1");
    writeFileSync(config, piped);
    const bit = spawn(path, ["--config", config], { cwd: temp.path, stdio: ["pipe", "ignore", "pipe"] });
    let log = "";
    bit.stderr.setEncoding("utf8").on("data", (part: string) => (log += part));
    try {
      createReadStream(file).pipe(bit.stdin);
      await until(
        () => log,
        () => pushed(sink).length >= rows.length,
      );
      assertPushed(sink, rows, false);
    } finally {
      bit.kill("SIGTERM");
      sink.close();
    }
  });
});
