/**
 * What `--check` prints: one line with performance data, and details below it, as the Monitoring Plugins Development
 * Guidelines have it (sections "Plugin Output for Nagios", "Performance data", "Plugin Return Codes").
 */
import { bySeverity } from "../contract/health.js";
import { isLateTick } from "../contract/late-tick.js";
import type { CheckOptions } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { oneLine } from "../lib/text.js";
import { CheckFindings, type CheckFinding } from "./check-findings.js";
import { gpuPerfdata, perfdata } from "./perfdata.js";

const CHECK_CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;
type CheckStatus = keyof typeof CHECK_CODES;

/** From fine to worst, as max_state_alt of the Monitoring Plugins has it, with a missing reading after ok. */
const RANK: readonly CheckStatus[] = ["ok", "unknown", "warning", "critical"];
/** Hosts in the first line. */
const MAX_NAMED = 3;
const MAX_MESSAGE_CHARS = 100;
const MAX_LINE_CHARS = 1000;
/** Of the whole output: Nagios cuts at 8 KiB. */
const MAX_OUTPUT_BYTES = 8000;
const MORE_BYTES = 40;

interface Host {
  readonly name: string;
  readonly status: CheckStatus;
  readonly findings: readonly CheckFinding[];
  /** The last one; of a host that is late, its last frame. */
  readonly record: StreamRecord;
  /** What that record showed, without what a late tick adds. */
  readonly read: readonly CheckFinding[];
}

export interface CheckEnd {
  /** How many hosts there should be; null: as many as there are. */
  readonly expected: number | null;
  /** Whether the check's own deadline passed before all had answered. */
  readonly timedOut: boolean;
}

export class CheckReport {
  readonly #findings: CheckFindings;
  readonly #limits: Pick<CheckOptions, "warn" | "crit">;
  readonly #hosts = new Map<string, Host>();

  constructor(limits: Pick<CheckOptions, "warn" | "crit">) {
    this.#limits = limits;
    this.#findings = new CheckFindings(limits);
  }

  /**
   * The last record of each host counts. A transition between ticks is no reading. A late tick adds to what the frame
   * before it showed: a lost GPU is not found again just because the host is slow.
   */
  take(record: StreamRecord): void {
    if (record.tick === null) return;
    const found = this.#findings.of(record);
    const before = isLateTick(record) ? this.#hosts.get(record.host_id) : undefined;
    const findings = before === undefined ? found : bySeverity([...before.read, ...found]);
    this.#hosts.set(record.host_id, {
      name: record.hostname,
      status: findings[0]?.severity ?? "ok",
      findings,
      record: before?.record ?? record,
      read: before?.read ?? found,
    });
  }

  /** The whole output, and the exit code. Where hosts are missing it is unknown, unless another host is critical. */
  report({ expected, timedOut }: CheckEnd): { readonly text: string; readonly code: number } {
    const hosts = [...this.#hosts.values()];
    const missing = Math.max(0, (expected ?? hosts.length) - hosts.length);
    const status = statusOf(hosts, timedOut || missing > 0);
    const sick = hosts
      .filter((host) => host.status !== "ok")
      .sort((a, b) => RANK.indexOf(b.status) - RANK.indexOf(a.status) || byName(a, b));
    const first = `ALLSMI ${status.toUpperCase()} - ${summary(hosts, sick, missing, timedOut)}`;
    const figures = [...fleetFigures(hosts, missing), ...this.#gpuFigures(hosts)];
    const head = `${withoutBar(first)} | ${figures.join(" ")}`;
    return { text: withDetails(head, sick.flatMap(detailsOf).map(withoutBar)), code: CHECK_CODES[status] };
  }

  /** A check of one host has each of its GPUs; a check of a fleet would have too many. */
  #gpuFigures([host, ...others]: readonly Host[]): readonly string[] {
    return host === undefined || others.length > 0 ? [] : gpuPerfdata(host.record, this.#limits);
  }
}

/** A check that could not be made: wrong usage, a fault of ours. */
export function failedCheck(reason: string): { readonly text: string; readonly code: number } {
  return { text: `${withoutBar(`ALLSMI UNKNOWN - ${reason}`)}\n`, code: CHECK_CODES.unknown };
}

function statusOf(hosts: readonly Host[], isIncomplete: boolean): CheckStatus {
  const rank = Math.max(0, ...hosts.map((host) => RANK.indexOf(host.status)));
  const worst = RANK[rank] ?? "unknown";
  return worst !== "critical" && (isIncomplete || hosts.length === 0) ? "unknown" : worst;
}

function summary(hosts: readonly Host[], sick: readonly Host[], missing: number, timedOut: boolean): string {
  if (hosts.length + missing === 0) return "no host";
  const gpus = gpusOf(hosts).length;
  const fine = `${hosts.length - sick.length} of ${hosts.length + missing} hosts ok, ${gpus} GPU${gpus === 1 ? "" : "s"}`;
  const named = sick.slice(0, MAX_NAMED).map(({ name, findings: [finding] }) => {
    if (finding === undefined) return name;
    const device = finding.device === null ? "" : ` ${finding.device}`;
    return `${name}${device}: ${oneLine(finding.message, MAX_MESSAGE_CHARS)}`;
  });
  const others = sick.length - named.length;
  const rest = others > 0 ? [`${others} more`] : [];
  const late = missing > 0 ? [`${missing} without an answer${timedOut ? " in time" : ""}`] : [];
  const what = [...late, ...named, ...rest];
  return what.length === 0 ? fine : `${fine}: ${what.join("; ")}`;
}

function detailsOf({ name, findings }: Host): readonly string[] {
  return findings.map(({ severity, device, message, action }) => {
    const subject = `${name}${device === null ? "" : ` ${device}`}`;
    return `${severity.toUpperCase()} ${subject}: ${message}${action === "" ? "" : `; ${action}`}`;
  });
}

function withDetails(head: string, details: readonly string[]): string {
  const lines = [head];
  let bytes = Buffer.byteLength(head);
  for (const [position, line] of details.entries()) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > MAX_OUTPUT_BYTES - MORE_BYTES) {
      lines.push(`and ${details.length - position} more findings`);
      break;
    }
    lines.push(line);
  }
  return `${lines.join("\n")}\n`;
}

/** Working GPUs. */
function gpusOf(hosts: readonly Host[]): readonly { readonly temperature: number | null }[] {
  return hosts.flatMap(({ record }) =>
    record.record === "frame" ? (record.gpus ?? []).filter(({ error }) => error === undefined) : [],
  );
}

function fleetFigures(hosts: readonly Host[], missing: number): readonly string[] {
  const max = hosts.length + missing;
  const count = (status: CheckStatus): number => hosts.filter((host) => host.status === status).length;
  const gpus = gpusOf(hosts);
  const temperatures = gpus.flatMap(({ temperature }) => temperature ?? []);
  return [
    ...RANK.map((status) =>
      perfdata(`hosts_${status}`, count(status) + (status === "unknown" ? missing : 0), { min: 0, max }),
    ),
    perfdata("gpus", gpus.length, { min: 0 }),
    ...(temperatures.length === 0 ? [] : [perfdata("gpu_temperature_max", Math.max(...temperatures))]),
  ];
}

/** gpu-2 before gpu-10: the report of one state of a fleet is always the same. */
function byName(a: Host, b: Host): number {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

/** A bar begins performance data; text of a host must not. */
function withoutBar(text: string): string {
  return oneLine(text, MAX_LINE_CHARS).replaceAll("|", "/");
}
