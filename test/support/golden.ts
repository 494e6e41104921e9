/** Finds the cases under golden/, reads their part outputs and compares what a parser made of them with expected.json. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ParseError } from "../../src/contract/errors.js";
import { KEY_OF_SECTION, SECTIONS, type Process, type Section } from "../../src/contract/record.js";
import { acceleratorProcess } from "../../src/shims/kit/accelerator.js";
import type { PartEnd, PartOutput, PartOutputs, ProbeContext, Sampler } from "../../src/shims/kit/shim.js";

export const GOLDEN_ROOT = fileURLToPath(new URL("../../golden/", import.meta.url));

export interface GoldenCase {
  readonly name: string;
  readonly dir: string;
  readonly context: ProbeContext;
  /** By part id. The outputs of a case without part folders stand under `onlyPart`. */
  readonly outputs: (onlyPart: string) => PartOutputs;
}

/** The cases of golden/<group>/; none when the folder is not there. */
export function goldenCases(group: string): GoldenCase[] {
  const root = join(GOLDEN_ROOT, group);
  if (!existsSync(root)) return [];
  return foldersIn(root).map((name) => {
    const dir = join(root, name);
    return {
      name,
      dir,
      context: {
        include: new Set(sectionsIn(readIfThere(join(dir, "include.txt")))),
        mode: readIfThere(join(dir, "mode.txt"))?.trim() === "plain" ? "plain" : "shell",
      },
      outputs: (onlyPart) => outputsIn(dir, onlyPart),
    };
  });
}

/** Compares with the case's expected.json, or writes it when UPDATE_GOLDEN is set. */
export function assertGolden(dir: string, actual: unknown): void {
  const file = join(dir, "expected.json");
  const plain: unknown = JSON.parse(JSON.stringify(actual));
  if (process.env["UPDATE_GOLDEN"] !== undefined) {
    writeFileSync(file, `${JSON.stringify(plain, null, 2)}\n`);
    return;
  }
  assert.ok(existsSync(file), `${basename(dir)} has no expected.json; write it with UPDATE_GOLDEN=1`);
  const expected: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(plain, expected);
}

/** One device as a golden case expects it. */
export interface RecordedDevice {
  /** The folder in golden/: a tool's id, or an operating system. */
  readonly source: string;
  readonly section: Section;
  readonly device: object;
}

/** Every device in the expected.json of every case that is a reading. */
export function recordedReadings(): readonly RecordedDevice[] {
  return foldersIn(GOLDEN_ROOT).flatMap((source) =>
    goldenCases(source).flatMap(({ dir }) => {
      const text = readIfThere(join(dir, "expected.json"));
      const expected = (text === null ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>;
      const printed = (expected["ps"] ?? []) as readonly Process[];
      // As they are joined with a tool's rows; the kernel's name is only compared.
      const processes = printed.map((process) => ({
        ...acceleratorProcess({ ...NO_TOOL, pid: process.pid }),
        ...Object.fromEntries(Object.entries(process).filter(([field]) => field !== "comm")),
      }));
      const ofPs = { sections: { processes } };
      return [expected["reading"], expected["next"], ofPs].flatMap((reading) =>
        SECTIONS.flatMap((section) =>
          devicesIn(reading, section).map((device) => ({ source, section, device })),
        ),
      );
    }),
  );
}

const NO_TOOL = { process_name: null, device_id: null, device_uuid: null, used_memory: null };

function devicesIn(reading: unknown, section: Section): readonly object[] {
  const { sections } = (reading ?? {}) as { readonly sections?: Readonly<Record<string, readonly object[]>> };
  return sections?.[KEY_OF_SECTION[section]] ?? [];
}

/** What is missing from a case: every case needs its source and the command that it answers. */
export function assertComplete(dir: string): void {
  assert.ok(existsSync(join(dir, "source.md")), `${dir} has no source.md`);
  const parts = foldersIn(dir);
  for (const part of parts.length === 0 ? [dir] : parts.map((name) => join(dir, name)))
    assert.ok(existsSync(join(part, "command.txt")), `${part} has no command.txt`);
}

function outputsIn(dir: string, onlyPart: string): PartOutputs {
  const parts = foldersIn(dir);
  if (parts.length === 0) return new Map([[onlyPart, outputIn(dir)]]);
  return new Map(parts.map((id) => [id, outputIn(join(dir, id))]));
}

function outputIn(dir: string): PartOutput {
  return {
    stdout: readIfThere(join(dir, "stdout.txt")) ?? "",
    stderr: readIfThere(join(dir, "stderr.txt")) ?? "",
    end: endIn(readIfThere(join(dir, "exit_code.txt"))?.trim() ?? "0"),
  };
}

function endIn(text: string): PartEnd {
  if (text === "missing") return { kind: "missing" };
  const [word = "", argument = ""] = text.split(" ");
  if (word === "signal") return { kind: "signal", signal: argument };
  if (word === "timeout") return { kind: "timeout", afterSecs: Number(argument) };
  assert.match(text, /^\d+$/, "exit_code.txt");
  return { kind: "exit", code: Number(text) };
}

function sectionsIn(text: string | null): readonly Section[] {
  if (text === null) return SECTIONS;
  const asked = text.trim().split(",");
  return SECTIONS.filter((section) => asked.includes(section));
}

function foldersIn(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

/** A frame adds labels to a reading's device objects in place, so no object may be in two readings. */
export function assertOwnDevices(sampler: Sampler, outputs: PartOutputs): void {
  const seen = new Set<object>();
  for (let tick = 0; tick < 3; tick++) {
    for (const device of devicesOf(sampler, outputs)) {
      assert.ok(!seen.has(device), `in two readings: ${JSON.stringify(device).slice(0, 80)}`);
      seen.add(device);
    }
  }
}

function devicesOf(sampler: Sampler, outputs: PartOutputs): object[] {
  try {
    return Object.values(sampler.parse(outputs).sections).flat() as object[];
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}
