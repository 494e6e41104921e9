/** The row about the GPUs of the whole fleet. */
import { PanelBuilder as Heatmap, YAxisConfigBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { CHOSEN_HOSTS as HOSTS, type Panels } from "./dashboard.js";
import { bars, graph, target, withCommon } from "./grafana.js";

const HEATMAP_STEPS = 10;

/** What the GPUs of all hosts do. */
export function fleetGpus(): Panels {
  return [
    utilizationHeatmap(),
    graph({
      title: "GPUs in use",
      description: "GPUs with any utilization, of all that report one.",
      queries: [
        { expr: `sum(allsmi_gpu_utilization_ratio{${HOSTS}} > bool 0)`, legend: "in use" },
        { expr: `count(allsmi_gpu_utilization_ratio{${HOSTS}})`, legend: "all" },
      ],
      span: 12,
    }),
    graph({
      title: "GPU power by $label",
      description: "The ten largest sums of the GPUs with one value of the chosen label.",
      queries: [
        {
          expr: `topk(10, sum by ($label) (allsmi_gpu_power_consumption_watts{${HOSTS}}))`,
          legend: "{{$label}}",
        },
      ],
      unit: "watt",
      span: 12,
      isStacked: true,
    }),
    graph({
      title: "GPU memory",
      description: "Sums of all GPUs of the reporting hosts.",
      queries: [
        { expr: `sum(allsmi_gpu_memory_used_bytes{${HOSTS}})`, legend: "used" },
        { expr: `sum(allsmi_gpu_memory_total_bytes{${HOSTS}})`, legend: "total" },
      ],
      unit: "bytes",
      span: 12,
    }),
    bars({
      title: "Hottest GPUs",
      description:
        "The ten hottest chips now. The limit differs between models: see the margin on GPU health.",
      queries: [
        {
          expr: `topk(10, max by (host, gpu) (allsmi_gpu_temperature_celsius{${HOSTS}}))`,
          legend: "{{host}} gpu {{gpu}}",
        },
      ],
      unit: "celsius",
      span: 12,
      height: 10,
    }),
    bars({
      title: "Fullest GPU memory",
      description: "The ten GPUs with the largest share of memory in use.",
      queries: [
        {
          expr: `topk(10, max by (host, gpu) (allsmi_gpu_memory_used_bytes{${HOSTS}} / allsmi_gpu_memory_total_bytes{${HOSTS}}))`,
          legend: "{{host}} gpu {{gpu}}",
        },
      ],
      unit: "percentunit",
      max: 1,
      span: 12,
      height: 10,
    }),
  ];
}

/** Counted by Prometheus: a browser need not load each GPU of the fleet. */
function utilizationHeatmap(): Heatmap {
  const utilization = `allsmi_gpu_utilization_ratio{${HOSTS}}`;
  const rows = Array.from({ length: HEATMAP_STEPS }, (_, step) => {
    const isLast = step === HEATMAP_STEPS - 1;
    const below = isLast ? "" : ` < ${(step + 1) / HEATMAP_STEPS}`;
    const expr = `count(${utilization} >= ${step / HEATMAP_STEPS}${below}) or vector(0)`;
    return target({ expr, legend: String((step * 100) / HEATMAP_STEPS) }, step);
  });
  return withCommon(
    new Heatmap(),
    {
      title: "GPU utilization",
      description: "How many GPUs have a utilization of so many percent or more, up to the next row.",
      span: 12,
    },
    8,
  )
    .yAxis(new YAxisConfigBuilder().unit("percent"))
    .targets(rows);
}
