/** An asked section is in the reading or among its errors, whatever the tools and the host answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HostError } from "../../src/contract/errors.js";
import { KEY_OF_SECTION, TICK_SECTIONS, type Section } from "../../src/contract/record.js";
import { chooseSources } from "../../src/remote/choose.js";
import type { Found } from "../../src/remote/found.js";
import { HostReader } from "../../src/remote/host-reader.js";
import { UNKNOWN_BUS } from "../../src/remote/pci-bus.js";
import { judgeFound, toolsOf } from "../../src/remote/probe.js";
import type { PartEnd, PartOutput, PartOutputs, ProbeContext, Reading } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { HOST_SYSTEMS, PLAIN_SYSTEMS } from "../../src/system/registry.js";
import { goldenCases } from "../support/golden.js";
import { propertyRuns } from "../support/property-runs.js";

const shims = await allShims();
/** Recorded answers of each tool. */
const RECORDED: readonly (readonly [id: string, outputs: readonly PartOutputs[]])[] = shims.map((shim) => [
  shim.id,
  goldenCases(shim.id).map(({ context, outputs }) => outputs(shim.probe(context)[0]?.id ?? "")),
]);

const ENDS: readonly PartEnd[] = [
  { kind: "exit", code: 0 },
  { kind: "exit", code: 1 },
  { kind: "exit", code: 127 },
  { kind: "signal", signal: "SIGSEGV" },
  { kind: "timeout", afterSecs: 10 },
  { kind: "timeout", afterSecs: 10, earlier: true },
  { kind: "flooded", what: "more than 8 MiB" },
  { kind: "missing" },
];

type Change = (output: PartOutput) => PartOutput | null;
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Change>((output) => output) },
  fc.constant<Change>(() => null),
  fc
    .record({ end: fc.constantFrom(...ENDS), stdout: fc.constantFrom(null, "", "junk", "{}", "[]") })
    .map(({ end, stdout }): Change => (output) => ({ ...output, end, stdout: stdout ?? output.stdout })),
);

/** One tool's answers, each as it was, gone, or ended in some other way. */
const answers = fc.constantFrom(...RECORDED.filter(([, all]) => all.length > 0)).chain(([id, all]) =>
  fc
    .tuple(fc.constantFrom(...all), fc.array(change, { minLength: 8, maxLength: 8 }))
    .map(([outputs, changes]) => ({
      id,
      outputs: changed(outputs, changes),
    })),
);

function changed(outputs: PartOutputs, changes: readonly Change[]): PartOutputs {
  const entries = [...outputs].flatMap(([id, output], at): [string, PartOutput][] => {
    const now = (changes[at % changes.length] ?? ((same) => same))(output);
    return now === null ? [] : [[id, now]];
  });
  return new Map(entries);
}

const run = fc.record({
  include: fc.subarray([...TICK_SECTIONS], { minLength: 1 }),
  tools: fc.uniqueArray(answers, { maxLength: 4, selector: ({ id }) => id }),
  system: fc.constantFrom(null, ...HOST_SYSTEMS, ...PLAIN_SYSTEMS),
  hostText: fc.constantFrom(
    "",
    "junk\n",
    "{}",
    "cpu  1 2 3 4\ncpu0 1 2 3 4\nMemTotal: 5 kB\nMemFree: 1 kB\n",
  ),
  hostEnd: fc.constantFrom(...ENDS),
  ticks: fc.array(change, { minLength: 3, maxLength: 3 }),
  mode: fc.constantFrom("shell" as const, "plain" as const),
  isWithoutAccelerator: fc.boolean(),
});

function assertAnswered(reading: Reading, asked: readonly Section[]): void {
  for (const section of asked) {
    const isThere = reading.sections[KEY_OF_SECTION[section]] !== undefined;
    const isExplained = reading.errors.some((error) => error.section === section && error.message !== "");
    assert.ok(isThere || isExplained, `${section} is neither there nor explained`);
  }
  for (const { section, message } of reading.errors) {
    assert.ok(asked.includes(section), `${section} was not asked for`);
    assert.doesNotMatch(message, /no answer(?! within)|undefined/);
  }
}

test("in every tick each asked section is there or explained", () => {
  fc.assert(
    fc.property(run, ({ include, tools, system, hostText, hostEnd, ticks, mode, ...host }) => {
      const asked = new Set(include);
      const context: ProbeContext = { include: asked, mode };
      const outputs = new Map(tools.flatMap(({ outputs: each }) => [...each]));
      const tried = include.some((section) => section === "gpu" || section === "process") ? shims : [];
      const found = tools.flatMap(({ id }) => {
        const executable = shims.find((shim) => shim.id === id)?.executables[0];
        return executable === undefined ? [] : [{ shim: id, executable }];
      });
      const hasNoAccelerator = host.isWithoutAccelerator && tried.length > 0 && tools.length === 0;
      let sources: Found["sources"] = [];
      try {
        const judged = judgeFound(tried, found, outputs, context);
        if (tried.length > 0 && !hasNoAccelerator) sources = chooseSources(judged, tried, UNKNOWN_BUS, "");
      } catch (error) {
        // Such a host has no frame.
        assert.ok(error instanceof HostError);
        return;
      }
      for (const part of system?.probe(asked) ?? [])
        outputs.set(part.id, { stdout: hostText, stderr: "", end: hostEnd });
      const sampler = system?.sampler(outputs, asked) ?? null;
      const reader = new HostReader({
        include: asked,
        fallback: [],
        toolTimeoutSecs: 10,
        redact: false,
        holdDriver: "never",
      });
      const known: Found = {
        sources,
        hasNoAccelerator,
        system: sampler,
        systemId: system?.id ?? null,
        unread: "no shell",
        limiter: "gnu",
      };
      assertAnswered(reader.read(known, outputs).reading, include);
      assertAnswered(reader.read(known, changed(outputs, ticks)).reading, include);
      assertAnswered(reader.read(known, new Map()).reading, include);
      assertAnswered(reader.failed("the remote shell hangs"), include);
      for (const tool of toolsOf(sources)) assert.ok(found.some(({ shim }) => shim === tool.shim.id));
    }),
    { numRuns: propertyRuns(300) },
  );
});
