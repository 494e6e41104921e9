/** Records of a fleet, and the expositions made from them. */
import type { Gpu, StreamRecord } from "../../../src/contract/record.js";
import { exposition, type ExpositionFormat } from "../../../src/format/prometheus/exposition.js";
import { FleetState } from "../../../src/format/prometheus/fleet-state.js";
import { readExposition, type Family } from "../../support/exposition.js";
import { frame, gpu, state } from "../../support/records.js";

/** What one batch of records is rendered as. */
export function textOf(records: readonly StreamRecord[], format: ExpositionFormat = "text"): string {
  const fleet = new FleetState();
  fleet.absorb(records, 0);
  return [...exposition(fleet.views(null), format)].join("");
}

export function familiesOf(records: readonly StreamRecord[]): ReadonlyMap<string, Family> {
  return readExposition(textOf(records));
}

/** All labels of all samples, as `name labels`. */
export function seriesOf(families: ReadonlyMap<string, Family>): ReadonlySet<string> {
  return new Set(
    [...families].flatMap(([name, { samples }]) => [...samples.keys()].map((id) => `${name} ${id}`)),
  );
}

/** A device with every field of the contract that can be a metric. */
export function fullGpu(changes: Partial<Gpu> = {}): ReturnType<typeof gpu> {
  return gpu({
    ...{
      pci_bus_id: "00000000:1B:00.0",
      serial: "1650522003820",
      driver_version: "580.95.05",
      tool: "nvidia-smi",
    },
    ...{ dla_utilization: 3, tensorcore_utilization: 50, gpu_core_count: 132, memory_utilization: 29 },
    ...{ memory_free: 1, memory_reserved: 2, memory_source: "device", temperature_memory: 70 },
    ...{ enforced_power_limit: 650, clock_memory: 2619, clock_sm: 1980.5, fan_speed_percent: 120 },
    ...{ performance_state: 0, ecc_corrected_total: 7, ecc_uncorrected_total: 0 },
    ...{ ecc_corrected_since_load: 1, ecc_uncorrected_since_load: 0, retired_pages_pending: false },
    ...{ remapped_rows_pending: true, remapped_rows_failure: false, mig_mode: true, persistence_mode: true },
    ...{ throttle_reasons: ["sw_power_cap", "hw_slowdown"], recovery_action: "None" },
    ...{ pcie_link_gen: 5, pcie_link_width: 16, numa_node_id: 0 },
    mig_instances: [
      {
        ...{ gpu_instance_id: 1, compute_instance_id: 0, uuid: "MIG-1", profile: "1g.10gb" },
        ...{ used_memory: 3, total_memory: 4 },
      },
    ],
    ...changes,
  });
}

const NAMES = ["dgx-0", "Büro-GPU", 'quote"d', "back\\slash", "[2001:db8::7]", "same-name"];

/** `count` hosts of eight GPUs: odd names and labels, two hosts of one name, lost GPUs, hosts without a frame. */
export function oddFleet(count: number): readonly StreamRecord[] {
  return Array.from({ length: count }, (_, host): StreamRecord => {
    const hostname = `${NAMES[host % NAMES.length] ?? ""}${host % NAMES.length === 5 ? "" : host}`;
    const hostLabels = {
      rack: `r${host % 7}`,
      "a-b": "1",
      "a.b": "2",
      a_b: "3",
      host: "x",
      "expect.gpus": "8",
    };
    const own = {
      hostname,
      host_id: `admin@${hostname}:${22 + host}`,
      labels: host % 3 === 0 ? hostLabels : {},
    };
    if (host % 10 === 9) return state(own);
    const gpus = Array.from({ length: 8 }, (__, index) => {
      const uuid = `GPU-${host}-${index}`;
      if (index !== 3 || host % 5 !== 0) return fullGpu({ index, uuid });
      return gpu({
        ...{
          index,
          uuid: null,
          name: null,
          error: 'GPU is lost "\\"\n',
          utilization: null,
          temperature: null,
        },
        ...{
          used_memory: null,
          total_memory: null,
          frequency: null,
          power_consumption: null,
          power_limit: null,
        },
      });
    });
    const errors = host % 5 === 0 ? [{ section: "gpu", kind: "error", message: "lost", device: "3" }] : [];
    return frame({ ...own, gpus, ...(errors.length > 0 ? { errors } : {}) } as Parameters<typeof frame>[0]);
  });
}
