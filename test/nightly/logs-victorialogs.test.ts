/** docs/logs.md, VictoriaLogs: what it gives back of a fleet's rows is what was printed, by each way in. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PROGRAM } from "../support/cli.js";
import { freePort } from "../support/free-port.js";
import { makeTempDir } from "../support/temp-dir.js";
import { answers, findProgram, startProgram, until, type Program } from "./logs-programs.js";
import { flattened, ROW_FLAGS, rowsIn, sortedTexts, writeRows, type Row } from "./logs-rows.js";

const { path, skip } = findProgram("victoria-logs", "victoria-logs-prod");

describe("VictoriaLogs", { skip }, () => {
  const temp = makeTempDir("victorialogs");
  const file = join(temp.path, "rows.ndjson");
  let server: Program | null = null;
  let url = "";
  let rows: readonly Row[] = [];
  before(async () => {
    rows = await writeRows(file);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const started = startProgram(path, [
      `-storageDataPath=${join(temp.path, "data")}`,
      `-httpListenAddr=127.0.0.1:${port}`,
    ]);
    server = started;
    await until(started.output, () => answers(`${url}/health`));
  });
  after(async () => {
    await server?.end();
    temp.remove();
  });

  async function query(text: string): Promise<readonly Readonly<Record<string, string>>[]> {
    const response = await fetch(`${url}/select/logsql/query`, {
      method: "POST",
      body: new URLSearchParams({ query: text, limit: "100000" }),
    });
    const body = await response.text();
    assert.equal(response.status, 200, body);
    return body
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
  }

  /** The row as it is asked back: its own time, and no fields of the store. */
  function asPrinted(entry: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { _time: time = "", _msg: target = "", ...rest } = entry;
    const own = Object.entries(rest).filter(
      ([key]) => !key.startsWith("_") && !["job", "host"].includes(key),
    );
    return { ...Object.fromEntries(own), target, timestamp: new Date(time).toISOString() };
  }

  async function assertAllBack(selector: string): Promise<void> {
    await until(
      () => `${rows.length} rows of ${selector}`,
      async () => (await query(`${selector} | stats count() n`))[0]?.["n"] === String(rows.length),
    );
    const back = (await query(selector)).map(asPrinted);
    assert.deepEqual(sortedTexts(back), sortedTexts(rows.map((row) => flattened(row))));
  }

  test("takes the file by /insert/jsonline, with curl", async () => {
    const fields = "_stream_fields=hostname&_time_field=timestamp&_msg_field=target";
    const curl = spawnSync(
      "curl",
      ["-sS", "--fail", "-T", file, "-X", "POST", `${url}/insert/jsonline?${fields}`],
      { encoding: "utf8" },
    );
    assert.equal(curl.status, 0, curl.stderr);
    await assertAllBack('{hostname=~".+", piped=""}');
  });

  test("takes what a run prints through a pipe", async () => {
    const fields =
      "_stream_fields=piped,hostname&_time_field=timestamp&_msg_field=target&extra_fields=piped=yes";
    const copy = join(temp.path, "piped.ndjson");
    const run = `'${process.execPath}' '${PROGRAM}' --replay '${file}.records' ${ROW_FLAGS.join(" ")}`;
    const pipe = `${run} | tee '${copy}' | curl -sS --fail -T - -X POST '${url}/insert/jsonline?${fields}'`;
    const piped = spawnSync("sh", ["-c", pipe], { encoding: "utf8" });
    assert.equal(piped.status, 0, piped.stderr);
    const printed = rowsIn(copy);
    const count = async (): Promise<string | undefined> =>
      (await query('{piped="yes"} | stats count() n'))[0]?.["n"];
    await until(
      () => `${printed.length} rows`,
      async () => (await count()) === String(printed.length),
    );
  });

  test("takes Loki's push protocol, two labels and the line", async () => {
    const hosts = [...new Set(rows.map(({ hostname }) => String(hostname)))];
    const body = {
      streams: hosts.map((host) => ({
        stream: { job: "allsmi", host },
        values: rows
          .filter(({ hostname }) => hostname === host)
          .map((row) => [`${Date.parse(String(row["timestamp"]))}000000`, JSON.stringify(row)]),
      })),
    };
    const response = await fetch(`${url}/insert/loki/api/v1/push?_msg_field=target`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 204, await response.text());
    await assertAllBack('{job="allsmi"}');
  });

  test("answers the queries of docs/logs.md with the numbers of the rows", async () => {
    const hottest = new Map<string, number>();
    for (const { section, hostname, temperature } of rows)
      if (section === "gpu" && typeof temperature === "number")
        hottest.set(String(hostname), Math.max(temperature, hottest.get(String(hostname)) ?? -Infinity));
    assert.ok(hottest.size >= 3);
    const answer = await query(
      '{hostname=~".+", piped=""} section:=gpu temperature:* | stats by (hostname) max(temperature) hottest',
    );
    const found = answer.map(({ hostname = "", hottest: value = "" }) => [hostname, Number(value)]);
    assert.deepEqual(found.sort(), [...hottest].sort());
    const failed = new Set(
      rows.filter(({ last_error: error }) => error !== undefined).map(({ hostname }) => hostname),
    );
    const named = await query(
      '{hostname=~".+", piped=""} record:=state last_error.code:* | uniq by (hostname)',
    );
    assert.deepEqual(new Set(named.map(({ hostname }) => hostname)), failed);
  });
});
