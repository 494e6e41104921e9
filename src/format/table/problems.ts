/** What is wrong in a fleet, each once with all hosts that have it: the worst first, each with what to do. */
import type { Finding, HealthStatus } from "../../contract/health.js";
import type { FrameRecord, StateRecord } from "../../contract/record.js";
import type { OutcomeKind } from "../../outcome/host-outcome.js";
import { stateText } from "../rows/device-rows.js";
import { gpuDevices } from "./gpu-rows.js";
import { deviceName, gpuErrors, hostErrors } from "./notes.js";
import type { NamedHost } from "./roster.js";
import { MAX_WELL_RANK } from "./seen-host.js";

export interface Problem {
  /** Where it is: hosts, each with its device where it has one. */
  readonly places: readonly string[];
  readonly kind: OutcomeKind;
  readonly text: string;
  /** Null: none is known. */
  readonly fix: string | null;
}

type Single = Omit<Problem, "places"> & { readonly device: string | null };

/** In the order of the hosts. */
export function problemsOf(hosts: readonly NamedHost[]): readonly Problem[] {
  const known = new Map<string, Problem & { readonly places: string[] }>();
  for (const { label, host } of hosts) {
    if (host.rank <= MAX_WELL_RANK) continue;
    for (const { device, kind, text, fix } of problemsOfHost(host.last)) {
      const place = device === null ? label : `${label} ${device}`;
      // The fix may name the host: the first one's stands for all.
      const key = `${kind} ${text}`;
      const same = known.get(key);
      if (same === undefined) known.set(key, { places: [place], kind, text, fix });
      else same.places.push(place);
    }
  }
  return [...known.values()];
}

function problemsOfHost(record: FrameRecord | StateRecord): readonly Single[] {
  const findings = record.health?.findings ?? [];
  if (record.record === "state") {
    const fix = record.last_error?.fix ?? null;
    const text = `${record.state}: ${withoutState(stateText(record), record.state)}`;
    return [{ device: null, kind: "unreachable", text, fix }];
  }
  const devices = gpuDevices(record);
  const errors = [
    ...devices.flatMap((gpu) => gpuErrors(gpu).map((error) => ({ ...error, device: deviceName(gpu) }))),
    ...hostErrors(record, devices).map((error) => ({ ...error, device: null })),
  ];
  const isFound = (message: string): boolean => findings.some((finding) => finding.message.includes(message));
  return [
    ...findings.map(ofFinding),
    ...errors
      .filter(({ message }) => message === "" || !isFound(message))
      .map(({ device, text }): Single => ({ device, kind: "errors", text, fix: null })),
  ];
}

const KIND_OF: Readonly<Record<HealthStatus, OutcomeKind>> = {
  ok: "ok",
  unknown: "unknown",
  warning: "warning",
  critical: "critical",
};

function ofFinding({ device, severity, message, action }: Finding): Single {
  return { device, kind: KIND_OF[severity], text: message, fix: action };
}

/** `unreachable: no answer`, not `unreachable: unreachable: no answer`. */
function withoutState(text: string, state: string): string {
  return [`${state}: `, `${state}, `].reduce(
    (rest, known) => (rest.startsWith(known) ? rest.slice(known.length) : rest),
    text,
  );
}
