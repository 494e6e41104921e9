/** all-smi on the host itself, from 0.22 on: `all-smi snapshot --format json`, schema 1. */
import { ParseError } from "../../contract/errors.js";
import { NATIVE_SECTIONS, type Section, type SectionError } from "../../contract/record.js";
import { cleanText } from "../../lib/text.js";
import { findJson, isObject, type JsonObject } from "../kit/json-text.js";
import { partError, outputText } from "../kit/part-output.js";
import type { PartOutput, PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../kit/shim.js";
import { readSnapshot, sectionsOf } from "./snapshot.js";

const SNAPSHOT = "native.snapshot";
const VERSION = "native.version";
const MIN_VERSION = [0, 22] as const;

export const nativeShim: Shim = {
  id: "native",
  executables: ["all-smi"],

  probe({ include, mode }) {
    const snapshot = snapshotCommand(include);
    if (mode === "plain")
      return [
        { id: VERSION, kind: "program", command: "{tool} --version" },
        { id: SNAPSHOT, kind: "program", command: snapshot },
      ];
    // The version line and any warnings come before the JSON. An old version exits with status 3 and runs nothing more.
    const command = [
      'v=$(x {tool} --version 2>&1); s=$?; printf "%s\\n" "$v"; [ $s -ne 0 ] || s=3',
      'case $v in *"all-smi "0.[0-9].*|*"all-smi "0.1[0-9].*|*"all-smi "0.2[01].*) ( exit 3 );; ' +
        `*"all-smi "[0-9]*) b ${snapshot} 2>&1;; *) ( exit $s );; esac`,
    ].join("; ");
    return [{ id: SNAPSHOT, kind: "shell", command }];
  },

  judge(outputs, context) {
    const output = outputs.get(SNAPSHOT) ?? outputs.get(VERSION);
    if (output === undefined) throw new ParseError("all-smi: the probe has no answer from it");
    const version = versionIn(outputs.get(VERSION)?.stdout) ?? versionIn(output.stdout);
    if (version !== null && isTooOld(version))
      return {
        kind: "too-old",
        message: `all-smi ${version} is too old; ${MIN_VERSION.join(".")} or later is needed`,
      };
    const snapshot = outputs.get(SNAPSHOT);
    if (snapshot !== undefined && hasNoDevices(snapshot, context.include))
      return { kind: "usable", sampler: nativeSampler(context) };
    if (snapshot === undefined || snapshotIn(snapshot.stdout) === null)
      return { kind: "broken", message: brokenBecause(output, version) };
    return { kind: "usable", sampler: nativeSampler(context) };
  },
};

function snapshotCommand(include: ReadonlySet<Section>): string {
  const asked = NATIVE_SECTIONS.filter((section) => include.has(section));
  return `{tool} snapshot --format json --pretty=false --include ${asked.join(",")}`;
}

function versionIn(text: string | undefined): string | null {
  return /\ball-smi v?(\d{1,6}\.\d{1,6}(?:\.\d{1,6})?)/.exec(text ?? "")?.[1] ?? null;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1]);
}

function brokenBecause(output: PartOutput, version: string | null): string {
  const tool = version === null ? "all-smi" : `all-smi ${version}`;
  // The probe script prints the version before the snapshot's own output.
  const withoutVersion = { ...output, stdout: output.stdout.replace(/^all-smi \S+$/m, "").trim() };
  const failed = partError("gpu", tool, withoutVersion);
  if (failed !== null) return failed.message;
  const text = outputText(withoutVersion);
  return `${tool} printed no snapshot${text === "" ? "" : `: ${text}`}`;
}

/** all-smi prints this and exits with 1 where every requested section is empty: only `gpu`, on a host without one. */
const NO_DEVICES = /no devices were collected from any reader/;

function hasNoDevices({ stdout, stderr, end }: PartOutput, include: ReadonlySet<Section>): boolean {
  // Every host has processors and memory.
  if (include.has("cpu") || include.has("memory")) return false;
  return end.kind === "exit" && end.code === 1 && NO_DEVICES.test(`${stdout}\n${stderr}`);
}

/** The last object that has a section: `--samples` prints an array, and warnings may contain braces. */
function snapshotIn(stdout: string): { readonly snapshot: JsonObject; readonly cut: boolean } | null {
  const { documents, cut } = findJson(stdout);
  const found = documents
    .flat()
    .filter(isObject)
    .findLast((value) => sectionsOf(value).length > 0 || Object.hasOwn(value, "schema"));
  return found === undefined ? null : { snapshot: found, cut };
}

function nativeSampler({ include }: ProbeContext): Sampler {
  const asked = NATIVE_SECTIONS.filter((section) => include.has(section));
  return {
    parts: [{ id: SNAPSHOT, kind: "program", command: snapshotCommand(include) }],
    parse(outputs: PartOutputs) {
      const output = outputs.get(SNAPSHOT);
      if (output !== undefined && hasNoDevices(output, include)) return emptySections(include);
      const found = output === undefined ? null : snapshotIn(output.stdout);
      if (output === undefined || found === null)
        return { sections: {}, errors: asked.map((section) => failureOf(section, output)) };
      const reading = readSnapshot(found.snapshot, NEEDS_CLEANING.test(output.stdout));
      return found.cut
        ? { ...reading, errors: [...reading.errors, ...cutErrors(asked, reading.sections)] }
        : reading;
    },
  };
}

function emptySections(include: ReadonlySet<Section>): Reading {
  return {
    sections: {
      ...(include.has("gpu") ? { gpus: [] } : {}),
      ...(include.has("process") ? { processes: [] } : {}),
    },
    errors: [],
  };
}

// Escapes of control characters and lone surrogates: nothing else in valid JSON makes it necessary to clean the texts.
const NEEDS_CLEANING =
  /\\[bfnrt]|\\u00[01789]|\\ud[89a-f]|\\u061c|\\u20(?:0[ef]|2[89a-e]|6[6-9])|[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/i;

function failureOf(section: Section, output: PartOutput | undefined): SectionError {
  const failed = partError(section, "all-smi", output);
  if (failed !== null) return failed;
  const text = output === undefined ? "" : outputText(output);
  return { section, kind: "parse", message: cleanText(`all-smi printed no snapshot: ${text || "nothing"}`) };
}

function cutErrors(asked: readonly Section[], sections: object): SectionError[] {
  const missing = asked.filter((section) => !sectionsOf(sections).includes(section));
  return missing.map((section) => ({
    section,
    kind: "parse",
    message: "all-smi: the snapshot was cut short",
  }));
}
