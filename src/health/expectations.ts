/** What an operator expects of a host, against what was read. A GPU that is missing shows in no reading of the others. */
import { EXPECT_LABEL, isExpected, type Expectation, type ExpectationKey } from "../contract/expectation.js";
import type { Severity } from "../contract/health.js";
import type { FrameRecord, Gpu } from "../contract/record.js";

export interface Unmet {
  readonly rule: string;
  readonly severity: Severity;
  readonly device: string | null;
  readonly message: string;
  readonly action: string;
}

const ACTIONS: Readonly<Record<ExpectationKey, string>> = {
  gpus: "look for the missing GPU: lspci, dmesg, the vendor's tool on the host; reseat it, reboot, or have it replaced",
  gpu: "another model than expected: correct the inventory, or --expect",
  driver: "install the expected driver, or correct --expect",
  vbios: "update the VBIOS, or correct --expect",
};

/** Of each key the last one counts: a host's own label comes after the flag. */
export function unmetIn(frame: FrameRecord, expectations: readonly Expectation[]): readonly Unmet[] {
  const last = new Map(expectations.map((expectation) => [expectation.key, expectation]));
  return [...last.values()].flatMap((expectation) =>
    expectation.key === "gpus"
      ? unmetCount(frame, expectation)
      : unmetValues(frame, expectation, expectation.key),
  );
}

function unmetCount({ gpus }: FrameRecord, expectation: Expectation): readonly Unmet[] {
  if (gpus === undefined) return [finding(expectation, "unknown", null, "the GPUs could not be counted")];
  const working = gpus.filter(({ error }) => error === undefined).length;
  if (isExpected(expectation, String(working))) return [];
  const failed = gpus.length - working;
  const more = failed === 0 ? "" : ` (${failed} more failed)`;
  return [
    finding(
      expectation,
      "critical",
      null,
      `${working} GPU${working === 1 ? " works" : "s work"}${more}, ${expectation.text} expected`,
    ),
  ];
}

function unmetValues(
  { gpus = [] }: FrameRecord,
  expectation: Expectation,
  key: Exclude<ExpectationKey, "gpus">,
): readonly Unmet[] {
  return gpus.flatMap((gpu, position) => {
    // One that failed is a finding by itself, and reports nothing.
    if (gpu.error !== undefined) return [];
    const device = `gpu ${gpu.index ?? position}`;
    const value = VALUE_OF[key](gpu);
    if (value === null) return [finding(expectation, "unknown", device, `${key} could not be read`)];
    if (isExpected(expectation, value)) return [];
    return [finding(expectation, "warning", device, `${key} ${value}, ${expectation.text} expected`)];
  });
}

const VALUE_OF: Readonly<Record<Exclude<ExpectationKey, "gpus">, (gpu: Gpu) => string | null>> = {
  gpu: ({ name }) => name,
  driver: ({ driver_version: version, detail }) => version ?? detail["driver_version"] ?? null,
  vbios: ({ detail }) => detail["vbios_version"] ?? null,
};

function finding({ key }: Expectation, severity: Severity, device: string | null, message: string): Unmet {
  return { rule: `${EXPECT_LABEL}${key}`, severity, device, message, action: ACTIONS[key] };
}
