/** Recordings of nvidia-smi and rocm-smi, replayed by a tool of that name behind a real sshd: what INDEX.md states comes out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withExtras, type Gpu } from "../../src/contract/record.js";
import { fixtureTexts, noFixtures, readFixture } from "../support/fixture-table.js";
import { replayThroughSshd, type Answers } from "../support/recorded-hosts.js";
import { missing } from "../support/sshd.js";

const skip = missing ?? noFixtures;
const MIB = 2 ** 20;

type Values = Readonly<Partial<Record<string, string | number | null>>>;

/** As `util 7 %, mem 1474/16376 MiB, 46 °C, 84.24 W, gclk 2805 MHz, drv 595.71.05`. */
const NVIDIA_ROW =
  /^GPU0 (?<name>.+): util (?<util>\S+) %, mem (?<used>\d+)\/(?<total>\d+) MiB, (?<celsius>\d+) °C, (?<watts>\S+) W, gclk (?<clock>\d+) MHz, drv (?<driver>\S+)$/;

function nvidiaValues(text: string): Values {
  const fields = NVIDIA_ROW.exec(text)?.groups;
  assert(fields, text);
  return {
    name: String(fields["name"]),
    driver_version: String(fields["driver"]),
    utilization: fields["util"] === "[N/A]" ? null : Number(fields["util"]),
    used_memory: Number(fields["used"]) * MIB,
    total_memory: Number(fields["total"]) * MIB,
    temperature: Number(fields["celsius"]),
    power_consumption: Number(fields["watts"]),
    frequency: Number(fields["clock"]),
  };
}

const NVIDIA_SMI = `case $1 in
--help-query-gpu) cat $f.help 2>/dev/null || exit 2;;
--query-gpu=*) cat $f.query; exit $(cat $f.status 2>/dev/null || echo 0);;
-L) cat $f.list 2>/dev/null || exit 2;;
*) exit 2;;
esac`;

/** What \`--help-query-gpu\` of the driver that printed this header lists. */
function helpFor(recording: string): string {
  const [header = ""] = recording.split("\n");
  return header
    .split(", ")
    .map((field) => `"${field.replace(/ \[.*\]$/, "")}"\n`)
    .join("");
}

test("every recorded answer of nvidia-smi gives the values of its INDEX row", { skip }, async (t) => {
  const expectedTexts = new Map(
    [...fixtureTexts("nvidia-smi")].filter(([file]) => /^(derived\/ten-col__|query-gpu-all__)/.test(file)),
  );
  const recordings = new Map<string, Answers>();
  for (const file of expectedTexts.keys()) {
    const query = readFixture("nvidia-smi", file);
    const [, host = ""] = /query-gpu-all__(.+)__(?:idle|load)\.csv$/.exec(file) ?? [];
    const more =
      host === "" ? {} : { help: helpFor(query), list: readFixture("nvidia-smi", `list-L__${host}.txt`) };
    // nvidia-smi's status as soon as one GPU is lost.
    recordings.set(file, { query, ...more, ...(file.includes("failed-gpu") ? { status: "15\n" } : {}) });
  }
  const run = await replayThroughSshd("nvidia-smi", NVIDIA_SMI, recordings);
  assert.deepEqual(new Set(run.codes), new Set([3]), "a lost GPU, and two hosts whose -q -x is no XML");
  assert.equal(run.lineCount, recordings.size, "one frame a host");

  let values = 0;
  for (const [file, expectedText] of expectedTexts) {
    const frame = run.frames.get(file);
    assert(frame, file);
    assert.equal(frame.transport, "nvidia-smi");
    if (file.includes("composed")) continue;
    assert.equal(frame.gpus?.length, 1, file);
    values += compare(file, frame.gpus[0], nvidiaValues(expectedText));
  }
  t.diagnostic(`nvidia-smi: ${expectedTexts.size} recordings, ${values} values`);

  const unified = run.frames.get("derived/ten-col__composed-gb10-unified-memory.csv");
  compare("GB10", unified?.gpus?.[0], {
    name: "NVIDIA GB10",
    utilization: 0,
    temperature: 52,
    power_consumption: 10.8,
  });
  assert.notEqual(unified?.gpus?.[0]?.used_memory, 0, "unknown memory is not 0");

  const broken = run.frames.get("derived/ten-col__composed-failed-gpu-between.txt");
  const good = (broken?.gpus ?? []).filter((gpu) => gpu.error === undefined);
  assert.deepEqual(
    good.map((gpu) => [gpu.index, gpu.used_memory, gpu.total_memory, gpu.temperature, gpu.power_consumption]),
    [0, 2].map((index) => [index, 596 * MIB, 16376 * MIB, 43, 26.2]),
  );
  assert.ok(
    broken?.errors?.some((error) => error.message.includes("0000:02:00.0: Unknown Error")),
    "the failed GPU's own expectedTexts",
  );
});

/** Names in INDEX.md -> fields of the record. */
const ROCM_FIELDS: Readonly<Record<string, string>> = {
  "GPU use (%)": "utilization",
  "VRAM Total Used Memory (B)": "used_memory",
  "VRAM Total Memory (B)": "total_memory",
  "Temperature (Sensor edge) (C)": "temperature",
  "Average Graphics Package Power (W)": "power_consumption",
  "Current Socket Graphics Package Power (W)": "power_consumption",
  "Unique ID": "uuid",
};
const NOTHING = new Set(["N/A", "Not supported"]);

/** As `card0: GPU use (%)=0, Temperature (Sensor edge) (C) absent; card1: ...; cards=2`. */
function rocmValues(text: string): { count: number; cards: ReadonlyMap<number, Values> } {
  const cards = new Map<number, Values>();
  for (const part of text.split("; ")) {
    const [, index, list = ""] = /^card(\d+): (.+)$/.exec(part) ?? [];
    if (index === undefined) continue;
    const values: Record<string, string | number | null> = {};
    for (const item of list.split(", ")) {
      const [, key = "", text] = /^(.+?)(?: absent|=(.+))$/.exec(item) ?? [];
      const field = ROCM_FIELDS[key];
      if (field !== undefined) {
        const isThere = text !== undefined && !NOTHING.has(text);
        values[field] = !isThere ? null : field === "uuid" ? text : Number(text);
      } else if (text !== undefined && /^(card series|device name)$/i.test(key) && !text.startsWith("0x")) {
        values["name"] = text;
      }
    }
    cards.set(Number(index), values);
  }
  return { cards, count: Number(/; cards=(\d+)/.exec(text)?.[1] ?? 0) };
}

test("every recorded answer of rocm-smi gives the values of its INDEX row", { skip }, async (t) => {
  const expectedTexts = fixtureTexts("rocm-smi");
  const recordings = new Map<string, Answers>();
  for (const file of expectedTexts.keys()) {
    const text = readFixture("rocm-smi", file);
    recordings.set(file, file.startsWith("errors/") ? { stderr: text } : { metrics: text });
  }
  const run = await replayThroughSshd(
    "rocm-smi",
    `if [ -f $f.metrics ]; then cat $f.metrics; else cat $f.stderr >&2; exit 1; fi`,
    recordings,
  );
  assert.deepEqual(run.codes, [3], "the host whose driver is not loaded");
  assert.equal(run.lineCount, recordings.size, "one frame a host");

  let values = 0;
  for (const [file, expectedText] of expectedTexts) {
    const frame = run.frames.get(file);
    assert(frame, file);
    if (file.startsWith("errors/")) {
      assert.equal(frame.gpus?.length ?? 0, 0);
      assert.match(frame.errors?.[0]?.message ?? "", /amdgpu not found in modules/);
      continue;
    }
    const expected = rocmValues(expectedText);
    assert.ok(expected.cards.size > 0, expectedText);
    assert.equal(frame.transport, "rocm-smi");
    assert.equal(frame.gpus?.length, expected.count, file);
    for (const [index, card] of expected.cards)
      values += compare(
        `${file} card${index}`,
        frame.gpus.find((gpu) => gpu.index === index),
        card,
      );
  }
  t.diagnostic(`rocm-smi: ${expectedTexts.size} recordings, ${values} values`);
});

/** How many values were compared. */
function compare(what: string, gpu: Gpu | undefined, expected: Values): number {
  assert(gpu, what);
  const actual = Object.fromEntries(Object.keys(expected).map((field) => [field, withExtras(gpu)[field]]));
  assert.deepEqual(actual, expected, what);
  return Object.keys(expected).length;
}
