/** Who holds a GPU, and for how long nobody has used it: columns of the table with `--include process`. */
import type { FrameRecord, Gpu, Process, StreamRecord } from "../../contract/record.js";
import { cleanText } from "../../lib/text.js";

/** A GPU below it, in %, does nothing for whoever holds it. */
const BUSY_PERCENT = 5;
const MAX_NAMED = 3;
const MINUTE_MS = 60_000;
const MAX_MINUTES = 120;

/** As `alice, bob (job 4711)`; empty where no process is on it. Null: processes were not read. */
export function holdersOf(frame: FrameRecord, gpu: Gpu): string | null {
  if (frame.processes === undefined) return null;
  const names = [...new Set(frame.processes.filter((process) => isOn(process, gpu)).map(holderName))];
  const more = names.length - MAX_NAMED;
  return cleanText([...names.slice(0, MAX_NAMED), ...(more > 0 ? [`+${more}`] : [])].join(", "));
}

function isOn(
  { uses_gpu: usesGpu, device_uuid: uuid, device_id: id, device_ids: ids }: Process,
  gpu: Gpu,
): boolean {
  if (!usesGpu) return false;
  if (uuid !== null && gpu.uuid !== null) return uuid === gpu.uuid;
  const index = gpu.index ?? null;
  return index !== null && (id === index || ids?.includes(index) === true);
}

function holderName({ user, process_name: name, pid, slurm_job_id: job }: Process): string {
  const who = user ?? name?.replace(/^.*[/\\]/, "") ?? `pid ${pid}`;
  return typeof job === "number" ? `${who} (job ${job})` : who;
}

/** Since when each GPU has been held and idle without a break. A reading that is missing is a break: nothing is known. */
export class IdleGpus {
  readonly #since = new Map<string, ReadonlyMap<string, number>>();

  take(record: StreamRecord): void {
    const before = this.#since.get(record.host_id);
    const since = new Map<string, number>();
    if (record.record === "frame") {
      const now = Date.parse(record.timestamp);
      for (const gpu of record.gpus ?? []) {
        const isIdle = gpu.utilization !== null && gpu.utilization < BUSY_PERCENT;
        const key = keyOf(gpu);
        if (isIdle && (holdersOf(record, gpu) ?? "") !== "") since.set(key, before?.get(key) ?? now);
      }
    }
    if (since.size > 0) this.#since.set(record.host_id, since);
    else this.#since.delete(record.host_id);
  }

  /** As `12 min` or `5 h`; empty below a minute, and for a GPU that is in use or held by nobody. */
  text(frame: FrameRecord, gpu: Gpu): string {
    const since = this.#since.get(frame.host_id)?.get(keyOf(gpu));
    if (since === undefined) return "";
    const minutes = Math.floor((Date.parse(frame.timestamp) - since) / MINUTE_MS);
    if (minutes < 1) return "";
    return minutes < MAX_MINUTES ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
  }
}

function keyOf({ tool, uuid, index }: Gpu): string {
  return `${tool ?? ""} ${uuid ?? index ?? ""}`;
}
