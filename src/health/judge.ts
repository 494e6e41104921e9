/** Records to findings: every rule over the host and over each of its accelerators. */
import { EXPECT_LABEL, parseExpectation, type Expectation } from "../contract/expectation.js";
import { HEALTH_STATUSES, bySeverity, type Finding, type Health } from "../contract/health.js";
import type { HealthOptions } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";
import { unmetIn } from "./expectations.js";
import { GPU_RULES } from "./gpu-rules.js";
import { HOST_RULES } from "./host-rules.js";
import type { Rule } from "./rule.js";
import { StandingEvents } from "./standing-events.js";

/** A finding before it is known since when. */
type Raw = Omit<Finding, "since">;

interface OwnExpectations {
  readonly labels: StreamRecord["labels"];
  readonly all: readonly Expectation[];
}

/** Judges one run's records; remembers of each host since when it has which finding. */
export class HealthJudge {
  readonly #expectations: readonly Expectation[];
  /** With those of the host's own labels. */
  readonly #ofHost = new Map<string, OwnExpectations>();
  readonly #since = new Map<string, ReadonlyMap<string, string>>();
  readonly #events = new Map<string, StandingEvents>();

  readonly #rules: boolean;

  constructor({ rules, expectations }: Pick<HealthOptions, "rules" | "expectations">) {
    this.#rules = rules;
    this.#expectations = expectations;
  }

  /** The health that the record shows; of a transition between ticks too. */
  judge(record: StreamRecord): Health {
    const before = this.#since.get(record.host_id);
    const since = new Map<string, string>();
    const findings = findingsIn(record, this.#expected(record), this.#rules).map((raw): Finding => {
      const key = `${raw.rule} ${raw.device ?? ""}`;
      const first = since.get(key) ?? before?.get(key) ?? record.timestamp;
      since.set(key, first);
      return { ...raw, since: first };
    });
    if (since.size > 0) this.#since.set(record.host_id, since);
    else this.#since.delete(record.host_id);
    if (isRemoval(record)) this.#forget(record.host_id);
    const sorted = bySeverity([...findings, ...this.#standing(record)]);
    return { status: sorted[0]?.severity ?? HEALTH_STATUSES[0], findings: sorted };
  }

  /** Faults that the kernel log has shown; only frames show what still stands. */
  #standing(record: StreamRecord): readonly Finding[] {
    if (!this.#rules || record.record !== "frame") return [];
    const known = this.#events.get(record.host_id);
    if (known === undefined && record.events === undefined && record.errors === undefined) return [];
    const events = known ?? new StandingEvents();
    this.#events.set(record.host_id, events);
    return events.with(record);
  }

  #forget(host: string): void {
    this.#since.delete(host);
    this.#events.delete(host);
    this.#ofHost.delete(host);
  }

  /** Labels may change during a run. They are the same object while they do not, but in a recording. */
  #expected({ host_id: host, labels }: StreamRecord): readonly Expectation[] {
    const known = this.#ofHost.get(host);
    if (known?.labels === labels) return known.all;
    const own = Object.entries(labels).flatMap(([name, value]) => {
      if (!name.startsWith(EXPECT_LABEL)) return [];
      const parsed = parseExpectation(`${name.slice(EXPECT_LABEL.length)}=${value}`);
      return parsed.kind === "expectation" ? [parsed.expectation] : [];
    });
    const all = [...this.#expectations, ...own];
    this.#ofHost.set(host, { labels, all });
    return all;
  }
}

function findingsIn(
  record: StreamRecord,
  expectations: readonly Expectation[],
  withRules: boolean,
): readonly Raw[] {
  const unmet = record.record === "frame" ? unmetIn(record, expectations) : [];
  if (!withRules) return unmet;
  const ofHost = HOST_RULES.flatMap((rule) => apply(rule, record, [record], null));
  if (record.record !== "frame") return ofHost;
  const ofGpus = (record.gpus ?? []).flatMap((gpu, position, gpus) =>
    GPU_RULES.flatMap((rule) => apply(rule, gpu, gpus, `gpu ${gpu.index ?? position}`)),
  );
  return [...ofHost, ...unmet, ...ofGpus];
}

function apply<Subject>(
  rule: Rule<Subject>,
  subject: Subject,
  beside: readonly Subject[],
  device: string | null,
): readonly Raw[] {
  const verdict = rule.check(subject, beside);
  if (verdict.kind === "fine") return [];
  const { message } = verdict;
  if (verdict.kind === "unknown")
    return [{ rule: rule.id, severity: "unknown", device, message, action: rule.action }];
  const { severity = rule.severity, action = rule.action } = verdict;
  return [{ rule: rule.id, severity, device, message, action }];
}
