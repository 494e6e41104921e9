/** One host: each of its GPUs, and the machine around them. */
import { dashboard, gpuVariable, oneHostVariable, type GrafanaDashboard, type Panels } from "./dashboard.js";
import { badFrom, stat, STATUS_MAPPINGS, worstStatus } from "./grafana.js";
import { gpuHeat, gpuLinks, gpuLoad } from "./host-devices.js";
import { hostMachine } from "./host-machine.js";
import { findingsTable, table } from "./table.js";

const HOST = 'host=~"$host"';
const GPU = 'host=~"$host", gpu=~"$gpu"';

export function hostDashboard(): GrafanaDashboard {
  return dashboard({
    uid: "host",
    description:
      "One host, or a few beside each other. Disks and networks need --include storage,host,network.",
    variables: [oneHostVariable(), gpuVariable(HOST)],
    rows: [
      { title: "Now", panels: now() },
      { title: "GPUs", panels: gpuLoad(GPU) },
      { title: "Heat and limits", panels: gpuHeat(GPU) },
      { title: "Links and memory errors", panels: gpuLinks(GPU) },
      { title: "Machine", panels: hostMachine(HOST) },
    ],
  });
}

function now(): Panels {
  return [
    stat({
      title: "Status",
      description: "The worst finding; without --health only whether the host reports.",
      queries: [{ expr: worstStatus(HOST), legend: "{{host}}" }],
      mappings: STATUS_MAPPINGS,
      span: 4,
    }),
    stat({
      title: "GPUs",
      description: "GPUs that the tool lists.",
      queries: [{ expr: `count(allsmi_gpu_failed{${HOST}})` }],
      span: 4,
    }),
    stat({
      title: "Failed GPUs",
      description: "GPUs that are lost or report an error.",
      queries: [{ expr: `sum(allsmi_gpu_failed{${HOST}})` }],
      thresholds: badFrom(1),
      span: 4,
    }),
    stat({
      title: "GPU power",
      description: "Sum of all GPUs of the host.",
      queries: [{ expr: `sum(allsmi_gpu_power_consumption_watts{${HOST}})` }],
      unit: "watt",
      span: 4,
    }),
    stat({
      title: "Sample duration",
      description: "From the command sent to the last byte of its answer.",
      queries: [{ expr: `max(allsmi_host_sample_duration_seconds{${HOST}})` }],
      unit: "s",
      span: 4,
    }),
    stat({
      title: "Uptime",
      description: "Since the boot; needs --include host.",
      queries: [{ expr: `allsmi_host_uptime_seconds{${HOST}}`, legend: "{{host}}" }],
      unit: "s",
      span: 4,
    }),
    table({
      title: "Devices",
      description: "Model and driver of each GPU. A failed GPU that reports no name has none.",
      span: 12,
      labels: {
        host: "Host",
        gpu: "GPU",
        name: "Model",
        driver_version: "Driver",
        pci_bus_id: "PCI bus",
        serial: "Serial",
      },
      numbers: [
        {
          expr: `max by (host, gpu) (allsmi_gpu_failed{${GPU}})`,
          title: "Failed",
          thresholds: badFrom(1),
        },
        {
          expr: `max by (host, gpu, name, driver_version, pci_bus_id, serial) (allsmi_gpu_info{${GPU}})`,
          title: null,
        },
      ],
      sortBy: "Failed",
    }),
    findingsTable("What stands now. docs/health.md has what to do for each rule.", HOST),
  ];
}
