/** `nvidia-smi --query-compute-apps`: the processes on each GPU and how much of its memory they use. */
import type { Gpu, Process, SectionError } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { acceleratorProcess } from "../kit/accelerator.js";
import { bytesCell, integerCell, textCell } from "../kit/cells.js";
import { readCsv } from "../kit/csv-rows.js";
import { explainFailure } from "./failures.js";
import { UUID } from "./fields.js";
import type { XmlGpu } from "./xml.js";

export const APPS_FIELDS = ["gpu_uuid", "pid", "process_name", "used_gpu_memory"] as const;
export const APPS_COMMAND = `{tool} --query-compute-apps=${APPS_FIELDS.join(",")} --format=csv,nounits`;

export interface AppsAnswer {
  readonly processes: readonly Process[];
  readonly errors: readonly SectionError[];
}

/** `gpus` give the device numbers; `columns` are the names for an answer without a header. */
export function readApps(text: string, gpus: readonly Gpu[], columns: readonly string[]): AppsAnswer {
  const indexOf = new Map(gpus.map((gpu) => [gpu.uuid, gpu.index ?? null]));
  const processes = new Map<string, Process>();
  const errors: SectionError[] = [];
  for (const line of readCsv(text, columns, "process_name").lines) {
    if (line.kind === "text") {
      if (/^No running processes found$/i.test(line.text)) continue;
      errors.push({ section: "process", kind: "error", message: explainFailure(line.text, null) });
      continue;
    }
    const pid = integerCell(line.cells.get("pid"));
    const uuid = textCell(line.cells.get("gpu_uuid"));
    if (pid === null || pid === 0 || (uuid !== null && !UUID.test(uuid))) {
      const cells = oneLine([...line.cells.values()].join(", "), 120);
      errors.push({
        section: "process",
        kind: "parse",
        message: `nvidia-smi: a process row without a pid: ${cells}`,
      });
      continue;
    }
    processes.set(
      `${uuid ?? ""} ${pid}`,
      acceleratorProcess({
        pid,
        process_name: textCell(line.cells.get("process_name")),
        device_id: indexOf.get(uuid) ?? null,
        device_uuid: uuid,
        used_memory: bytesCell(memoryCell(line.cells), "MiB"),
      }),
    );
  }
  return { processes: [...processes.values()], errors };
}

// The column is `used_memory` up to driver 346, and where that alias was asked for.
function memoryCell(cells: ReadonlyMap<string, string>): string | undefined {
  return cells.get("used_gpu_memory") ?? cells.get("used_memory");
}

/** The same processes with the MIG instance that each runs in, where the XML has it. One may run on several GPUs. */
export function withInstanceIds(processes: readonly Process[], xml: readonly XmlGpu[]): readonly Process[] {
  const gpus = new Map(xml.map(({ gpu, processes: ofGpu }) => [gpu.uuid, instancesByPid(ofGpu)]));
  const anywhere = instancesByPid(xml.flatMap((one) => one.processes));
  return processes.map((process) => {
    // A row may name an instance in place of its GPU.
    const found = (gpus.get(process.device_uuid) ?? anywhere).get(process.pid);
    if (found === undefined) return process;
    return { ...process, gpu_instance_id: found.gpuInstance, compute_instance_id: found.computeInstance };
  });
}

type XmlProcess = XmlGpu["processes"][number];

/** The first instance of each process. */
function instancesByPid(processes: readonly XmlProcess[]): ReadonlyMap<number, XmlProcess> {
  const found = new Map<number, XmlProcess>();
  for (const process of processes)
    if (process.gpuInstance !== null && !found.has(process.pid)) found.set(process.pid, process);
  return found;
}
