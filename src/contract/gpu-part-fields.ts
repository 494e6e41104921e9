/** The fields of objects inside a GPU: MIG instances, spare rows of memory, NVLinks. */
import type { FieldTable } from "./field-table.js";
import type { MigInstance, Nvlink, PcieLink, RemapHistogram } from "./sections.js";

export const MIG_FIELDS = {
  gpu_instance_id: { type: "integer", nullable: true, text: "GPU instance id." },
  compute_instance_id: { type: "integer", nullable: true, text: "Compute instance id." },
  uuid: { type: "string", nullable: true, text: "The instance's own uuid." },
  profile: { type: "string", nullable: true, text: "As `1g.10gb`." },
  used_memory: { type: "integer", nullable: true, unit: "bytes", text: "Memory in use." },
  total_memory: { type: "integer", nullable: true, unit: "bytes", text: "Memory of the instance." },
  multiprocessor_count: {
    ...{ type: "integer", nullable: true },
    text: "Streaming multiprocessors of the instance.",
  },
  ecc_sram_uncorrected_since_load: {
    ...{ type: "integer", nullable: true },
    text: "Uncorrected SRAM errors in the instance since the driver was loaded.",
  },
} as const satisfies FieldTable<MigInstance>;

export const REMAP_FIELDS = {
  max: { type: "integer", text: "Banks with all their spare rows." },
  high: { type: "integer", text: "Banks with many spare rows." },
  partial: { type: "integer", text: "Banks with some spare rows." },
  low: { type: "integer", text: "Banks with few spare rows." },
  none: { type: "integer", text: "Banks without a spare row." },
} as const satisfies FieldTable<RemapHistogram>;

export const NVLINK_FIELDS = {
  links: { type: "integer", text: "Links of the board." },
  active: { type: "integer", nullable: true, text: "Links that are up." },
  replay_errors: { type: "integer", nullable: true, text: "Replay errors of all links." },
  recovery_errors: { type: "integer", nullable: true, text: "Recovery errors of all links." },
  crc_errors: { type: "integer", nullable: true, text: "CRC errors of all links." },
  ticks_ago: { type: "integer", text: "How many ticks ago this was read; 0: in this one." },
} as const satisfies FieldTable<Nvlink>;

export const PCIE_FIELDS = {
  replay_errors: {
    ...{ type: "integer", nullable: true },
    text: "Transfers that were repeated because of an error, since the driver was loaded.",
  },
  rx_bytes_per_second: {
    ...{ type: "number", nullable: true, optional: true, unit: "bytes/s" },
    text: "Received from the host, in the moment of the reading.",
  },
  tx_bytes_per_second: {
    ...{ type: "number", nullable: true, optional: true, unit: "bytes/s" },
    text: "Sent to the host, in the moment of the reading.",
  },
  ticks_ago: { type: "integer", text: "How many ticks ago this was read; 0: in this one." },
} as const satisfies FieldTable<PcieLink>;
