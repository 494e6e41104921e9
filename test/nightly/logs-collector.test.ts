/** docs/logs.md and docs/otlp.md, the OpenTelemetry Collector: what it exports is what was printed. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readLine, type Point } from "../format/otlp/otlp-lines.js";
import { runCli } from "../support/cli.js";
import { freePort } from "../support/free-port.js";
import { makeTempDir } from "../support/temp-dir.js";
import { answers, findProgram, startProgram, startSink, until } from "./logs-programs.js";
import { adapted, FLEET, rowsIn, writeRecords, writeRows } from "./logs-rows.js";

const { path, skip } = findProgram("otelcol-contrib", "otelcol-allsmi");
const NO_TELEMETRY = "\n  telemetry: { metrics: { level: none } }\n";

interface LogsRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}
interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}
interface LogRecord {
  readonly timeUnixNano: string;
  readonly body: { readonly stringValue: string };
  readonly attributes?: readonly KeyValue[];
}

describe("the OpenTelemetry Collector", { skip }, () => {
  const temp = makeTempDir("collector");
  after(() => temp.remove());

  /** A configuration that serves no metrics of its own. */
  function writeConfig(name: string, text: string): string {
    const file = join(temp.path, name);
    writeFileSync(file, `${text.trimEnd()}${NO_TELEMETRY}`);
    return file;
  }

  test("takes otelcol.yaml: each line is a log record of its host at its own time", async () => {
    const file = join(temp.path, "rows.ndjson");
    const rows = await writeRows(file);
    const sink = await startSink();
    const storage = join(temp.path, "storage");
    mkdirSync(storage);
    const config = writeConfig(
      "logs.yaml",
      adapted("otelcol.yaml", {
        "/var/log/allsmi/rows.ndjson": file,
        "/var/lib/otelcol": storage,
        "http://127.0.0.1:9428/insert/opentelemetry/v1/logs": `http://127.0.0.1:${sink.port}/v1/logs\n    encoding: json\n    compression: none`,
      }),
    );
    const collector = startProgram(path, ["--config", config]);
    const records = (): readonly (LogRecord & { readonly host: string })[] =>
      sink.bodies.flatMap((body) =>
        (JSON.parse(body) as LogsRequest).resourceLogs.flatMap(({ resource, scopeLogs }) =>
          scopeLogs.flatMap(({ logRecords }) =>
            logRecords.map((record) => ({
              ...record,
              host: resource.attributes.find(({ key }) => key === "host.name")?.value.stringValue ?? "",
            })),
          ),
        ),
      );
    try {
      await until(collector.output, () => records().length >= rows.length);
      const lines = readFileSync(file, "utf8").trimEnd().split("\n");
      const printed = lines.map((line) => {
        const row = JSON.parse(line) as { readonly hostname: string; readonly timestamp: string };
        return JSON.stringify([row.hostname, `${Date.parse(row.timestamp)}000000`, line]);
      });
      const exported = records().map(({ host, timeUnixNano, body, attributes = [] }) => {
        assert.deepEqual(attributes, []);
        return JSON.stringify([host, timeUnixNano, body.stringValue]);
      });
      assert.deepEqual(exported.sort(), printed.sort());
      assert.deepEqual(rows, rowsIn(file));
    } finally {
      await collector.end();
      sink.close();
    }
  });

  test("takes each line of --format otlp-json, and exports its numbers", async () => {
    const records = join(temp.path, "records.ndjson");
    const written = writeRecords(records, FLEET, 2, 2000);
    const run = await runCli(["--replay", records, "--format", "otlp-json", "--quiet"], { isChecked: false });
    assert.equal(run.code, 3, run.stderr);
    const lines = run.stdout.trimEnd().split("\n");
    assert.equal(lines.length, written.length);
    assert.ok(lines.every((line) => /"scope":\{"name":"allsmi-ssh","version":"\d[\w.-]+"\}/.test(line)));
    const sink = await startSink();
    const port = await freePort();
    const config = writeConfig(
      "metrics.yaml",
      [
        `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }`,
        `exporters: { otlphttp: { endpoint: "http://127.0.0.1:${sink.port}", encoding: json, compression: none } }`,
        "service:",
        "  pipelines: { metrics: { receivers: [otlp], exporters: [otlphttp] } }",
      ].join("\n"),
    );
    const collector = startProgram(path, ["--config", config]);
    try {
      await until(collector.output, () => answers(`http://127.0.0.1:${port}/v1/metrics`));
      for (const line of lines) {
        const headers = { "content-type": "application/json" };
        const response = await fetch(`http://127.0.0.1:${port}/v1/metrics`, {
          method: "POST",
          headers,
          body: line,
        });
        assert.equal(response.status, 200, await response.text());
      }
      const sent = lines.flatMap(readLine).map(textOf);
      const exported = (): readonly string[] => sink.bodies.flatMap((body) => readLine(body).map(textOf));
      await until(collector.output, () => exported().length >= sent.length);
      assert.ok(sent.length > 10_000);
      assert.deepEqual([...exported()].sort(), sent.sort());
    } finally {
      await collector.end();
      sink.close();
    }
  });
});

/** All of a point. */
function textOf(point: Point): string {
  const { resource, attributes, ...rest } = point;
  return JSON.stringify([Object.entries(resource).sort(), Object.entries(attributes).sort(), rest]);
}
