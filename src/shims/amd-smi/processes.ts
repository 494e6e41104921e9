/** amd-smi's `process --json`, whose nesting changed with each of ROCm 5.7, 6.0, 6.2 and 7. */
import type { Gpu, Process } from "../../contract/record.js";
import { acceleratorProcess, uuidsByIndex } from "../kit/accelerator.js";
import { bytesCell, integerCell, textCell } from "../kit/cells.js";
import { at, findJson, isObject } from "../kit/json-text.js";
import { unwrapped } from "./values.js";

/** The processes of every GPU, a row per GPU and process; null where the text has no JSON. */
export function amdProcesses(stdout: string, gpus: readonly Gpu[]): readonly Process[] | null {
  const { documents } = findJson(stdout);
  if (documents.length === 0) return null;
  const found = new Map<string, Process>();
  const uuidOf = uuidsByIndex(gpus);
  for (const { gpu, info } of documents.flatMap((document) => infosIn(document, null, MAX_LEVELS))) {
    const pid = integerCell(at(info, "pid"));
    if (pid === null || pid === 0) continue;
    const vram = bytesCell(unwrapped(at(info, "memory_usage", "vram_mem")), "B");
    const inAll = bytesCell(unwrapped(at(info, "mem_usage")), "B");
    const key = `${String(gpu)} ${String(pid)}`;
    if (found.has(key)) continue;
    found.set(
      key,
      acceleratorProcess({
        pid,
        process_name: textCell(at(info, "name")),
        device_id: gpu,
        device_uuid: uuidOf(gpu),
        // Some releases leave the parts at 0 and have only the sum.
        used_memory: vram === null || vram === 0 ? (inAll ?? vram) : vram,
      }),
    );
  }
  return [...found.values()];
}

interface Info {
  readonly gpu: number | null;
  readonly info: unknown;
}

// Releases nest lists and objects four levels deep.
const MAX_LEVELS = 16;

/** Each `process_info` with the GPU that contains it, or that came before it in the same list. */
function infosIn(value: unknown, under: number | null, levels: number): readonly Info[] {
  if (levels === 0) return [];
  if (Array.isArray(value)) {
    let gpu = under;
    return value.flatMap((item: unknown) => {
      gpu = integerCell(at(item, "gpu")) ?? gpu;
      return infosIn(item, gpu, levels - 1);
    });
  }
  if (!isObject(value)) return [];
  const gpu = integerCell(at(value, "gpu")) ?? under;
  const info = at(value, "process_info");
  return [
    ...(isObject(info) ? [{ gpu, info }] : infosIn(info, gpu, levels - 1)),
    ...["process_list", "processes", "values", "gpu_data"].flatMap((key) =>
      infosIn(at(value, key), gpu, levels - 1),
    ),
  ];
}
