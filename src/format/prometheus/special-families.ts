/** Families that are more than one field of a device: infos, sets, lists, and whether a device works. */
import { label, type OwnLabel } from "./labels.js";
import { sample, type Family } from "./family.js";
import type { Device, DeviceView, HostView, ShownSection } from "./host-view.js";

interface Info {
  readonly name: string;
  readonly section: ShownSection;
  readonly help: string;
  readonly source: string;
  /** Label and field. */
  readonly labels: readonly (readonly [OwnLabel, string])[];
}

const INFOS: readonly Info[] = [
  {
    name: "allsmi_gpu_info",
    section: "gpu",
    help: "What the device is.",
    source: "gpus[]",
    labels: [
      ["name", "name"],
      ["device_type", "device_type"],
      ["pci_bus_id", "pci_bus_id"],
      ["serial", "serial"],
      ["driver_version", "driver_version"],
      ["memory_source", "memory_source"],
      ["numa_node", "numa_node_id"],
      ["tool", "tool"],
    ],
  },
  {
    name: "allsmi_gpu_mig_info",
    section: "mig",
    help: "What the instance is.",
    source: "gpus[].mig_instances[]",
    labels: [["profile", "profile"]],
  },
  {
    name: "allsmi_gpu_fabric_info",
    section: "gpu",
    help: "Whether the device is registered with the NVLink fabric, and how that ended.",
    source: "gpus[]",
    labels: [
      ["state", "fabric_state"],
      ["status", "fabric_status"],
    ],
  },
  {
    name: "allsmi_cpu_info",
    section: "cpu",
    help: "What the processor is.",
    source: "cpus[]",
    labels: [
      ["model", "cpu_model"],
      ["architecture", "architecture"],
      ["platform", "platform_type"],
    ],
  },
  {
    name: "allsmi_storage_info",
    section: "storage",
    help: "The device or the remote path that is mounted.",
    source: "storage[]",
    labels: [["device", "device"]],
  },
  {
    name: "allsmi_host_os_info",
    section: "host",
    help: "What the host runs.",
    source: "host[]",
    labels: [
      ["os", "os"],
      ["kernel", "kernel"],
    ],
  },
  {
    name: "allsmi_host_disk_info",
    section: "disk",
    help: "What the disk is.",
    source: "host[].disks[]",
    labels: [["model", "model"]],
  },
  {
    name: "allsmi_network_info",
    section: "network",
    help: "What the interface is.",
    source: "network[]",
    labels: [
      ["kind", "kind"],
      ["driver", "driver"],
      ["pci_bus_id", "pci_bus_id"],
    ],
  },
];

/** A device without any of them has no info. */
function infoFamily({ name, section, help, source, labels: pairs }: Info): Family {
  const fields = pairs.map(([, field]) => field).join(", ");
  return {
    ...{ name, type: "info", unit: null, help, source: `${source}: ${fields}` },
    samples: eachDevice(section, (device, labels) => {
      // A lost device reports a part of it: that would be another series.
      if (device["error"] !== undefined && device["name"] === null) return "";
      const own = pairs.map(([to, from]) => label(to, device[from])).join("");
      return own === "" ? "" : sample(name, `${labels}${own}`, 1);
    }),
  };
}

const SPECIAL: readonly Family[] = [
  {
    ...{ name: "allsmi_gpu_failed", type: "gauge", unit: null, source: "gpus[].error" },
    help: "1 where the tool reports an error in place of readings, as for a lost device; 0 otherwise.",
    samples: eachDevice("gpu", (device, labels) =>
      sample("allsmi_gpu_failed", labels, device["error"] === undefined ? 0 : 1),
    ),
  },
  {
    ...{ name: "allsmi_gpu_throttle_reasons", type: "gauge", unit: null, source: "gpus[].throttle_reasons" },
    help: "How many reasons hold the clocks below their maximum.",
    samples: eachDevice("gpu", ({ throttle_reasons: reasons }, labels) =>
      sample("allsmi_gpu_throttle_reasons", labels, Array.isArray(reasons) ? texts(reasons).length : null),
    ),
  },
  {
    ...{ name: "allsmi_gpu_throttle_reason", type: "gauge", unit: null, source: "gpus[].throttle_reasons" },
    help: "1 for each reason that holds the clocks below their maximum.",
    samples: eachDevice("gpu", ({ throttle_reasons: reasons }, labels) =>
      (Array.isArray(reasons) ? texts(reasons) : [])
        .map((reason) => sample("allsmi_gpu_throttle_reason", `${labels}${label("reason", reason)}`, 1))
        .join(""),
    ),
  },
  {
    ...{ name: "allsmi_gpu_recovery_action", type: "gauge", unit: null, source: "gpus[].recovery_action" },
    help: "1 for what the driver asks for to recover the device; None when nothing.",
    samples: eachDevice("gpu", ({ recovery_action: action }, labels) => {
      const own = label("action", action);
      return own === "" ? "" : sample("allsmi_gpu_recovery_action", `${labels}${own}`, 1);
    }),
  },
  {
    ...{ name: "allsmi_cpu_load_average", type: "gauge", unit: null, source: "cpus[].load_average" },
    help: "Load average over 1, 5 and 15 minutes.",
    samples: eachDevice("cpu", ({ load_average: loads }, labels) =>
      [1, 5, 15]
        .map((minutes, place) => {
          const load: unknown = Array.isArray(loads) ? loads[place] : null;
          return sample("allsmi_cpu_load_average", `${labels}${label("minutes", minutes)}`, load);
        })
        .join(""),
    ),
  },
  {
    ...{ name: "allsmi_chassis_thermal_pressure", type: "gauge", unit: null },
    source: "chassis[].thermal_pressure",
    help: "1 for the level that macOS reports.",
    samples: eachDevice("chassis", ({ thermal_pressure: level }, labels) => {
      const own = label("pressure", level);
      return own === "" ? "" : sample("allsmi_chassis_thermal_pressure", `${labels}${own}`, 1);
    }),
  },
];

const HOST_SPECIAL: readonly Family[] = [
  {
    ...{ name: "allsmi_host_driver_info", type: "info", unit: null, source: "host[].driver_versions" },
    help: "Accelerator drivers that are loaded.",
    samples: eachDevice("host", ({ driver_versions: versions }, labels) =>
      Object.entries(typeof versions === "object" && versions !== null ? versions : {})
        .map(([module, version]) => {
          const own = `${label("module", module)}${label("version", version)}`;
          return sample("allsmi_host_driver_info", `${labels}${own}`, 1);
        })
        .join(""),
    ),
  },
  {
    ...{ name: "allsmi_host_disk_state", type: "gauge", unit: null, source: "host[].disks[].state" },
    help: "1 for the state that the kernel reports of the disk.",
    samples: eachDevice("disk", ({ state }, labels) => {
      const own = label("state", state);
      return own === "" ? "" : sample("allsmi_host_disk_state", `${labels}${own}`, 1);
    }),
  },
  {
    ...{ name: "allsmi_network_up", type: "gauge", unit: null, source: "network[].state" },
    help: "1 where the link is up (InfiniBand: ACTIVE), 0 otherwise.",
    samples: eachDevice("network", ({ state }, labels) =>
      sample("allsmi_network_up", labels, typeof state === "string" ? Number(UP.has(state)) : null),
    ),
  },
];
const UP: ReadonlySet<string> = new Set(["up", "ACTIVE"]);

export const SPECIAL_FAMILIES: readonly Family[] = [...INFOS.map(infoFamily), ...SPECIAL, ...HOST_SPECIAL];

function eachDevice(
  section: ShownSection,
  write: (device: Device, labels: DeviceView["labels"]) => string,
): (host: HostView) => string {
  return ({ devices }) => devices[section].map(({ device, labels }) => write(device, labels)).join("");
}

/** Each text once. */
function texts(list: readonly unknown[]): readonly string[] {
  return [...new Set(list.filter((each) => typeof each === "string" && each !== ""))] as readonly string[];
}
