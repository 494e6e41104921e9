/**
 * `nvidia-smi -q -x` (DTD v6 to v13): the only cheap source of MIG instances' memory, and a second source of the GPUs.
 * The document has only elements and text (and one attribute, `<gpu id=...>`), so a scanner with one pattern reads it. A
 * document that is cut gives the elements before the cut.
 */
import { ParseError } from "../../contract/errors.js";
import type { Gpu } from "../../contract/record.js";
import { bytesCell, integerCell } from "../kit/cells.js";
import { gpuFromCells } from "./gpu.js";

interface XmlNode {
  readonly name: string;
  /** The only attribute in the document: a GPU's bus id. */
  readonly id: string | undefined;
  readonly children: XmlNode[];
  text: string;
}

/** One GPU with its MIG devices and processes. */
export interface XmlGpu {
  readonly gpu: Gpu;
  readonly migDevices: readonly XmlMigDevice[];
  readonly processes: readonly XmlProcess[];
}
interface XmlMigDevice {
  /** As `Device  N` in `nvidia-smi -L`. */
  readonly index: number | null;
  readonly gpuInstance: number | null;
  readonly computeInstance: number | null;
  readonly usedMemory: number | null;
  readonly totalMemory: number | null;
  readonly multiprocessors: number | null;
  readonly sramUncorrected: number | null;
}
interface XmlProcess {
  readonly pid: number;
  readonly gpuInstance: number | null;
  readonly computeInstance: number | null;
}

/** Throws ParseError where the text holds no nvidia_smi_log. */
export function readSmiXml(text: string): readonly XmlGpu[] {
  const log = find(scan(text), "nvidia_smi_log");
  if (log === undefined) throw new ParseError("nvidia-smi -q -x: no <nvidia_smi_log>");
  const driver = textAt(log, "driver_version");
  const cuda = textAt(log, "cuda_version");
  const gpus = log.children.filter((node) => node.name === "gpu").slice(0, MAX_GPUS);
  return gpus.map((node, at) => gpuOf(node, at, driver, cuda));
}

// More than any host has, and more than any GPU is divided into. Bounded because each is searched for among all.
const MAX_GPUS = 1024;
const MAX_INSTANCES = 64;

// Field of --query-gpu, and its paths in the XML; the first element that exists wins.
const PATHS: readonly (readonly [string, ...string[]])[] = [
  ["uuid", "uuid"],
  ["name", "product_name"],
  ["serial", "serial"],
  ["pci.bus_id", "pci/pci_bus_id"],
  ["vbios_version", "vbios_version"],
  ["compute_mode", "compute_mode"],
  ["addressing_mode", "addressing_mode"],
  ["persistence_mode", "persistence_mode"],
  ["utilization.gpu", "utilization/gpu_util"],
  ["utilization.memory", "utilization/memory_util"],
  ["utilization.encoder", "utilization/encoder_util"],
  ["utilization.decoder", "utilization/decoder_util"],
  ["memory.total", "fb_memory_usage/total"],
  ["memory.used", "fb_memory_usage/used"],
  ["memory.free", "fb_memory_usage/free"],
  ["memory.reserved", "fb_memory_usage/reserved"],
  ["temperature.gpu", "temperature/gpu_temp"],
  ["temperature.memory", "temperature/memory_temp"],
  ["temperature.gpu.tlimit", "temperature/gpu_temp_tlimit"],
  ["clocks.current.graphics", "clocks/graphics_clock"],
  ["clocks.current.sm", "clocks/sm_clock"],
  ["clocks.current.memory", "clocks/mem_clock"],
  ["clocks.max.graphics", "max_clocks/graphics_clock"],
  ["clocks.max.sm", "max_clocks/sm_clock"],
  ["clocks.max.memory", "max_clocks/mem_clock"],
  ["power.draw", "power_readings/power_draw", "gpu_power_readings/power_draw"],
  ["power.draw.average", "gpu_power_readings/average_power_draw"],
  ["power.draw.instant", "gpu_power_readings/instant_power_draw"],
  [
    "power.limit",
    "power_readings/power_limit",
    "gpu_power_readings/requested_power_limit",
    "gpu_power_readings/current_power_limit",
  ],
  ["enforced.power.limit", "power_readings/enforced_power_limit", "gpu_power_readings/current_power_limit"],
  ["power.default_limit", "power_readings/default_power_limit", "gpu_power_readings/default_power_limit"],
  ["power.min_limit", "power_readings/min_power_limit", "gpu_power_readings/min_power_limit"],
  ["power.max_limit", "power_readings/max_power_limit", "gpu_power_readings/max_power_limit"],
  ["fan.speed", "fan_speed"],
  ["pstate", "performance_state"],
  ["ecc.mode.current", "ecc_mode/current_ecc"],
  ["ecc.errors.uncorrected.aggregate.sram.thresholdExceeded", "ecc_errors/aggregate/sram_threshold_exceeded"],
  ["retired_pages.single_bit_ecc.count", "retired_pages/multiple_single_bit_retirement/retired_count"],
  ["retired_pages.double_bit.count", "retired_pages/double_bit_retirement/retired_count"],
  ["retired_pages.pending", "retired_pages/pending_retirement"],
  ["remapped_rows.correctable", "remapped_rows/remapped_row_corr"],
  ["remapped_rows.uncorrectable", "remapped_rows/remapped_row_unc"],
  ["remapped_rows.pending", "remapped_rows/remapped_row_pending"],
  ["remapped_rows.failure", "remapped_rows/remapped_row_failure"],
  ...["max", "high", "partial", "low", "none"].map(
    (step) =>
      [
        `remapped_rows.histogram.${step}`,
        `remapped_rows/row_remapper_histogram/row_remapper_histogram_${step}`,
      ] as const,
  ),
  ...[
    ["sw_power_cap", "sw_power_cap"],
    ["sw_thermal_slowdown", "sw_therm_slowdown"],
    ["hw_thermal_slowdown", "hw_therm_slowdown"],
    ["hw_power_brake_slowdown", "hw_power_brake"],
  ].map(
    ([field, element]) =>
      [
        `clocks_event_reasons_counters.${String(field)}`,
        `clocks_event_reasons_counters/clocks_event_reasons_counters_${String(element)}`,
      ] as const,
  ),
  ["pcie.link.gen.current", "pci/pci_gpu_link_info/pcie_gen/current_link_gen"],
  ["pcie.link.gen.max", "pci/pci_gpu_link_info/pcie_gen/max_link_gen"],
  ["pcie.link.width.max", "pci/pci_gpu_link_info/link_widths/max_link_width"],
  ["pcie.link.width.current", "pci/pci_gpu_link_info/link_widths/current_link_width"],
  ["pci.replay_counter", "pci/replay_counter"],
  ["pci.rx_util", "pci/rx_util"],
  ["pci.tx_util", "pci/tx_util"],
  ["fabric.state", "fabric/state"],
  ["fabric.status", "fabric/status"],
  ["gpu_recovery_action", "gpu_recovery_action"],
  ["mig.mode.current", "mig_mode/current_mig"],
];

function gpuOf(node: XmlNode, at: number, driver: string | undefined, cuda: string | undefined): XmlGpu {
  const cells = new Map<string, string>([["index", String(at)]]);
  if (node.id !== undefined) cells.set("pci.bus_id", node.id);
  if (driver !== undefined) cells.set("driver_version", driver);
  if (cuda !== undefined) cells.set("cuda_version", cuda);
  for (const [field, ...paths] of PATHS) {
    const text = paths.map((path) => textAt(node, path)).find((found) => found !== undefined);
    if (text !== undefined) cells.set(field, text);
  }
  return {
    gpu: gpuFromCells(cells),
    migDevices: childrenOf(node, "mig_devices", "mig_device").slice(0, MAX_INSTANCES).map(migDeviceOf),
    processes: childrenOf(node, "processes", "process_info").flatMap(processOf),
  };
}

function migDeviceOf(node: XmlNode): XmlMigDevice {
  return {
    index: integerCell(textAt(node, "index")),
    gpuInstance: integerCell(textAt(node, "gpu_instance_id")),
    computeInstance: integerCell(textAt(node, "compute_instance_id")),
    usedMemory: bytesCell(textAt(node, "fb_memory_usage/used"), "MiB"),
    totalMemory: bytesCell(textAt(node, "fb_memory_usage/total"), "MiB"),
    multiprocessors: integerCell(textAt(node, "device_attributes/shared/multiprocessor_count")),
    sramUncorrected: integerCell(textAt(node, "ecc_error_count/volatile_count/sram_uncorrectable")),
  };
}

function processOf(node: XmlNode): XmlProcess[] {
  const pid = integerCell(textAt(node, "pid"));
  if (pid === null || pid === 0) return [];
  return [
    {
      pid,
      gpuInstance: integerCell(textAt(node, "gpu_instance_id")),
      computeInstance: integerCell(textAt(node, "compute_instance_id")),
    },
  ];
}

function childrenOf(node: XmlNode, list: string, item: string): readonly XmlNode[] {
  const parent = node.children.find((child) => child.name === list);
  return parent?.children.filter((child) => child.name === item) ?? [];
}

/** The text of the element at a path of names; undefined where there is none. */
function textAt(node: XmlNode, path: string): string | undefined {
  let here: XmlNode | undefined = node;
  for (const name of path.split("/")) here = here?.children.find((child) => child.name === name);
  const text = here?.text.trim();
  return text === "" ? undefined : text;
}

function find(root: XmlNode, name: string): XmlNode | undefined {
  return root.children.find((child) => child.name === name);
}

// Lengths are bounded so that no text takes quadratic time.
const TOKEN =
  /<[?!][^<>]{0,300}>|<(\/?)([A-Za-z_][\w.-]{0,80})(?: id="([^"<>]{0,40})")?[^<>]{0,300}?(\/?)>|([^<]+)/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const MAX_DEPTH = 32;

/** The elements as a tree under a root without a name. A closing tag without its opening tag is skipped. */
function scan(text: string): XmlNode {
  const root: XmlNode = { name: "", id: undefined, children: [], text: "" };
  let open = [root];
  for (const [, closing, name, id, selfClosing, chars] of text.matchAll(TOKEN)) {
    const parent = open.at(-1) ?? root;
    if (chars !== undefined) {
      parent.text += chars.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => ENTITIES[entity] ?? "");
    } else if (name !== undefined && closing === "") {
      const node: XmlNode = { name, id, children: [], text: "" };
      if (open.length < MAX_DEPTH) parent.children.push(node);
      if (selfClosing === "" && open.length < MAX_DEPTH) open.push(node);
    } else if (name !== undefined) {
      const at = open.findLastIndex((node) => node.name === name);
      if (at > 0) open = open.slice(0, at);
    }
  }
  return root;
}
