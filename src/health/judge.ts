/** Records to findings: every rule over the host and over each of its accelerators. */
import { HEALTH_STATUSES, bySeverity, type Finding, type Health } from "../contract/health.js";
import type { StreamRecord } from "../contract/record.js";
import { GPU_RULES } from "./gpu-rules.js";
import { HOST_RULES } from "./host-rules.js";
import type { Rule } from "./rule.js";

/** A finding before it is known since when. */
type Raw = Omit<Finding, "since">;

/** Judges one run's records; remembers of each host since when it has which finding. */
export class HealthJudge {
  readonly #since = new Map<string, Map<string, string>>();

  /** The health that the record shows; of a transition between ticks too. */
  judge(record: StreamRecord): Health {
    const before = this.#since.get(record.host_id);
    const since = new Map<string, string>();
    const findings = findingsIn(record).map((raw): Finding => {
      const key = `${raw.rule} ${raw.device ?? ""}`;
      const first = since.get(key) ?? before?.get(key) ?? record.timestamp;
      since.set(key, first);
      return { ...raw, since: first };
    });
    if (since.size > 0) this.#since.set(record.host_id, since);
    else this.#since.delete(record.host_id);
    const sorted = bySeverity(findings);
    return { status: sorted[0]?.severity ?? HEALTH_STATUSES[0], findings: sorted };
  }
}

function findingsIn(record: StreamRecord): readonly Raw[] {
  const ofHost = HOST_RULES.flatMap((rule) => apply(rule, record, null));
  if (record.record !== "frame") return ofHost;
  const ofGpus = (record.gpus ?? []).flatMap((gpu, position) =>
    GPU_RULES.flatMap((rule) => apply(rule, gpu, `gpu ${gpu.index ?? position}`)),
  );
  return [...ofHost, ...ofGpus];
}

function apply<Subject>(rule: Rule<Subject>, subject: Subject, device: string | null): readonly Raw[] {
  const verdict = rule.check(subject);
  if (verdict.kind === "fine") return [];
  const severity = verdict.kind === "unknown" ? "unknown" : (verdict.severity ?? rule.severity);
  return [{ rule: rule.id, severity, device, message: verdict.message, action: rule.action }];
}
