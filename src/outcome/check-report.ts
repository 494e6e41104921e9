/**
 * What `--check` prints: one line with performance data and details below it, as the Monitoring Plugins Development
 * Guidelines have it (sections "Plugin Output for Nagios", "Performance data", "Plugin Return Codes").
 */
import type { Finding, Health } from "../contract/health.js";
import type { StreamRecord } from "../contract/record.js";
import { oneLine } from "../lib/text.js";

export const CHECK_CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;
export type CheckStatus = keyof typeof CHECK_CODES;

/** From fine to worst: a critical host counts for more than one of which nothing is known. */
const RANK: readonly CheckStatus[] = ["ok", "unknown", "warning", "critical"];
/** On the first line and below it; Nagios takes 8 KiB in all. */
const MAX_NAMED = 3;
const MAX_DETAILS = 50;
const MAX_MESSAGE_CHARS = 120;

interface Host {
  readonly name: string;
  readonly status: CheckStatus;
  readonly findings: readonly Finding[];
  readonly gpus: number;
  readonly hottest: number | null;
}

/** The last record of each host counts. */
export class CheckReport {
  readonly #hosts = new Map<string, Host>();

  take(record: StreamRecord, health: Health): void {
    const gpus = record.record === "frame" ? (record.gpus ?? []) : [];
    const temperatures = gpus.flatMap(({ temperature }) => temperature ?? []);
    this.#hosts.set(record.host_id, {
      name: record.hostname,
      status: health.status,
      findings: health.findings,
      gpus: gpus.filter(({ error }) => error === undefined).length,
      hottest: temperatures.length === 0 ? null : Math.max(...temperatures),
    });
  }

  /** Without a host nothing is known. */
  get status(): CheckStatus {
    if (this.#hosts.size === 0) return "unknown";
    return worst([...this.#hosts.values()].map(({ status }) => status));
  }

  /**
   * The whole output. `expected` is how many hosts there should be; `timedOut`: the check's own deadline passed before
   * all had answered.
   */
  report(expected: number | null, timedOut: boolean): { readonly text: string; readonly code: number } {
    const hosts = [...this.#hosts.values()];
    const missing = Math.max(0, (expected ?? hosts.length) - hosts.length);
    const isIncomplete = timedOut || missing > 0;
    const status = worst([this.status, ...(isIncomplete ? (["unknown"] as const) : [])]);
    const sick = hosts
      .filter((host) => host.status !== "ok")
      .sort((a, b) => RANK.indexOf(b.status) - RANK.indexOf(a.status));
    const first = `ALLSMI ${status.toUpperCase()} - ${summary(hosts, sick, missing, timedOut)}`;
    const details = sick.flatMap(detailsOf);
    const shown = details.slice(0, MAX_DETAILS);
    const more = details.length - shown.length;
    const lines = [
      `${clean(first)} | ${perfdata(hosts, missing)}`,
      ...shown.map(clean),
      ...(more > 0 ? [`and ${more} more findings`] : []),
    ];
    return { text: `${lines.join("\n")}\n`, code: CHECK_CODES[status] };
  }
}

function worst(statuses: readonly CheckStatus[]): CheckStatus {
  return RANK[Math.max(...statuses.map((status) => RANK.indexOf(status)))] ?? "unknown";
}

function summary(hosts: readonly Host[], sick: readonly Host[], missing: number, timedOut: boolean): string {
  const gpus = hosts.reduce((sum, host) => sum + host.gpus, 0);
  const fine = `${hosts.length - sick.length} of ${hosts.length + missing} hosts ok, ${gpus} GPU${gpus === 1 ? "" : "s"}`;
  const named = sick.slice(0, MAX_NAMED).map(({ name, findings: [finding] }) => {
    if (finding === undefined) return name;
    const device = finding.device === null ? "" : ` ${finding.device}`;
    return `${name}${device} ${finding.message.slice(0, MAX_MESSAGE_CHARS)}`;
  });
  const others = sick.length - named.length;
  const rest = others > 0 ? [`${others} more`] : [];
  const late = missing > 0 ? [`${missing} without an answer${timedOut ? " in time" : ""}`] : [];
  const what = [...named, ...rest, ...late];
  return what.length === 0 ? fine : `${fine}: ${what.join("; ")}`;
}

function detailsOf({ name, findings }: Host): readonly string[] {
  return findings.map(
    ({ severity, device, message, action }) =>
      `${severity.toUpperCase()} ${name}${device === null ? "" : ` ${device}`}: ${message}; ${action}`,
  );
}

/** `'label'=value[unit];warn;crit;min;max`; the thresholds are rules, so their places stay empty. */
function perfdata(hosts: readonly Host[], missing: number): string {
  const count = (status: CheckStatus): number => hosts.filter((host) => host.status === status).length;
  const total = hosts.length + missing;
  const figures = [
    ...RANK.map(
      (status) => `hosts_${status}=${count(status) + (status === "unknown" ? missing : 0)};;;0;${total}`,
    ),
    `gpus=${hosts.reduce((sum, host) => sum + host.gpus, 0)};;;0`,
  ];
  const temperatures = hosts.flatMap(({ hottest }) => hottest ?? []);
  if (temperatures.length > 0) figures.push(`gpu_temperature_max=${Math.max(...temperatures)};;;0`);
  return figures.join(" ");
}

/** A bar begins performance data; text of a host must not. */
function clean(text: string): string {
  return oneLine(text).replaceAll("|", "/");
}
