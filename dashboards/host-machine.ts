/** The row about the machine around a host's GPUs. `host` are labels that choose it. */
import { FULL_DISK_PERCENT, LOW_DISK_PERCENT, LOW_MEMORY_PERCENT } from "../src/health/host-rules.js";
import type { Panels } from "./dashboard.js";
import { badBelow, badFrom, bars, graph } from "./grafana.js";
import { table } from "./table.js";

const PERCENT = 100;

export function hostMachine(host: string): Panels {
  return [...processors(host), ...disks(host), ...networks(host)];
}

function processors(host: string): Panels {
  return [
    graph({
      title: "CPU",
      description: "Share of time in use.",
      queries: [{ expr: `allsmi_cpu_utilization_ratio{${host}}`, legend: "{{host}}" }],
      unit: "percentunit",
      max: 1,
      span: 8,
    }),
    graph({
      title: "Load",
      description: "Load average over 1, 5 and 15 minutes, and the logical processors.",
      queries: [
        { expr: `allsmi_cpu_load_average{${host}}`, legend: "{{host}} {{minutes}} min" },
        { expr: `allsmi_cpu_threads{${host}}`, legend: "{{host}} processors" },
      ],
      span: 8,
    }),
    graph({
      title: "Pressure",
      description: "Share of time in which tasks waited, as Linux counts it; needs --include host.",
      queries: [
        { expr: `allsmi_host_pressure_cpu_some_ratio{${host}}`, legend: "{{host}} CPU" },
        { expr: `allsmi_host_pressure_memory_full_ratio{${host}}`, legend: "{{host}} memory, all tasks" },
        { expr: `allsmi_host_pressure_io_full_ratio{${host}}`, legend: "{{host}} disk, all tasks" },
      ],
      unit: "percentunit",
      span: 8,
    }),
    graph({
      title: "Memory",
      description: "In use, and what the machine has.",
      queries: [
        { expr: `allsmi_memory_used_bytes{${host}}`, legend: "{{host}} used" },
        { expr: `allsmi_memory_total_bytes{${host}}`, legend: "{{host}} total" },
        { expr: `allsmi_memory_swap_used_bytes{${host}}`, legend: "{{host}} swap used" },
      ],
      unit: "bytes",
      span: 12,
    }),
    graph({
      title: "Memory available",
      description: `What programs can still get; below ${LOW_MEMORY_PERCENT} % is the finding host-memory-low.`,
      queries: [
        {
          expr: `allsmi_memory_available_bytes{${host}} / allsmi_memory_total_bytes{${host}}`,
          legend: "{{host}}",
        },
      ],
      unit: "percentunit",
      max: 1,
      thresholds: badBelow([LOW_MEMORY_PERCENT / PERCENT, "warning"]),
      span: 12,
    }),
  ];
}

function disks(host: string): Panels {
  return [
    bars({
      title: "Free space",
      description: `By file system; below ${LOW_DISK_PERCENT} % is the finding host-disk-full, critical below ${FULL_DISK_PERCENT} %. Needs --include storage.`,
      queries: [
        {
          expr: `sort(allsmi_storage_available_bytes{${host}} / allsmi_storage_size_bytes{${host}})`,
          legend: "{{host}} {{mountpoint}}",
        },
      ],
      unit: "percentunit",
      max: 1,
      thresholds: badBelow(
        [FULL_DISK_PERCENT / PERCENT, "critical"],
        [LOW_DISK_PERCENT / PERCENT, "warning"],
      ),
      span: 12,
    }),
    table({
      title: "Disks",
      description: "As the kernel reports them; needs --include host.",
      span: 12,
      height: 8,
      labels: { host: "Host", disk: "Disk", model: "Model", state: "State" },
      numbers: [
        { expr: `max by (host, disk, model) (allsmi_host_disk_info{${host}})`, title: null },
        { expr: `max by (host, disk, state) (allsmi_host_disk_state{${host}})`, title: null },
        {
          expr: `max by (host, disk) (allsmi_host_disk_degraded_members{${host}})`,
          title: "Missing members",
          thresholds: badFrom(1, "warning"),
        },
      ],
    }),
  ];
}

function networks(host: string): Panels {
  const rate = (metric: string): string => `rate(${metric}{${host}}[$__rate_interval])`;
  const name = "{{host}} {{interface}}";
  return [
    graph({
      title: "Network",
      description: "Bytes a second of each interface; needs --include network.",
      queries: [
        { expr: rate("allsmi_network_receive_bytes_total"), legend: `${name} received` },
        { expr: rate("allsmi_network_transmit_bytes_total"), legend: `${name} sent` },
      ],
      unit: "Bps",
      span: 8,
    }),
    graph({
      title: "Network errors",
      description: "Packets a second that had errors or were dropped.",
      queries: [
        { expr: rate("allsmi_network_receive_errors_total"), legend: `${name} received with errors` },
        { expr: rate("allsmi_network_transmit_errors_total"), legend: `${name} not sent` },
        { expr: rate("allsmi_network_receive_dropped_total"), legend: `${name} dropped` },
      ],
      unit: "pps",
      span: 8,
    }),
    table({
      title: "Links",
      description:
        "Whether each link is up, how often it changed since the boot, and InfiniBand's symbol errors.",
      span: 8,
      height: 8,
      labels: { host: "Host", interface: "Interface", kind: "Kind" },
      numbers: [
        {
          expr: `max by (host, interface) (allsmi_network_up{${host}})`,
          title: "Up",
          thresholds: badBelow([1, "warning"]),
        },
        { expr: `max by (host, interface, kind) (allsmi_network_info{${host}})`, title: null },
        {
          expr: `max by (host, interface) (allsmi_network_carrier_changes_total{${host}})`,
          title: "Changes",
        },
        {
          expr: `max by (host, interface) (allsmi_network_symbol_errors_total{${host}})`,
          title: "Symbol errors",
        },
      ],
    }),
  ];
}
