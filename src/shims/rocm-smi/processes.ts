/** Processes of rocm-smi: the system's entries of `--showpids`, and the text of `--showpidgpus`. */
import type { Gpu, Process } from "../../contract/record.js";
import { acceleratorProcess, uuidsByIndex } from "../kit/accelerator.js";
import { bytesCell, integerCell, textCell } from "../kit/cells.js";
import type { Values } from "./cards.js";

/**
 * The system's `PIDnnn` entries: `name, GPUs, VRAM bytes, SDMA, CU occupancy`, where the name may hold commas. A
 * process on several GPUs has its memory in one sum, so it has no device of its own.
 */
export function processesOf(system: Values, gpus: readonly Gpu[], gpuLists: string): readonly Process[] {
  const gpusOfPid = pidGpus(gpuLists);
  const uuidOf = uuidsByIndex(gpus);
  return [...system].flatMap(([key, value]) => {
    const pid = Number(/^pid\s?(\d{1,10})$/.exec(key)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || typeof value !== "string") return [];
    const cells = value.split(",").map((cell) => cell.trim());
    if (cells.length < 5) return [];
    const [count, vram] = cells.slice(-4);
    const indices = gpusOfPid.get(pid) ?? (gpus.length === 1 && count === "1" ? [gpus[0]?.index ?? 0] : []);
    const only = indices.length === 1 ? indices[0] : undefined;
    return [
      acceleratorProcess({
        pid,
        process_name: textCell(cells.slice(0, -4).join(", ")),
        device_id: only ?? null,
        device_uuid: only === undefined ? null : uuidOf(only),
        used_memory: bytesCell(vram, "B"),
        uses_gpu: integerCell(count) !== 0,
        ...(indices.length > 1 ? { device_ids: indices } : {}),
      }),
    ];
  });
}

/** `PID 1234 is using 2 DRM device(s):` with the indices on the next line. */
function pidGpus(text: string): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, readonly number[]>();
  for (const match of text.matchAll(/PID (\d{1,10}) is using \d+ DRM device\(s\):[ \t]*\r?\n?([\d \t]*)/g)) {
    const indices = (match[2] ?? "").split(/\s+/).filter((word) => word !== "");
    found.set(Number(match[1]), indices.map(Number));
  }
  return found;
}
