/** The `--query-gpu` fields that we ask for, and their names in the help and the headers of drivers. */

/** Known to every driver from 2012 to 600. These are asked for when `--help-query-gpu` lists nothing. */
export const TEN_FIELDS = [
  "index",
  "uuid",
  "name",
  "driver_version",
  "utilization.gpu",
  "memory.used",
  "memory.total",
  "temperature.gpu",
  "clocks.current.graphics",
  "power.draw",
] as const;

/**
 * Asked for where the driver's help lists them. The bus id is last: nothing else looks like it, so a row whose end was
 * cut is recognised.
 */
export const MORE_FIELDS = [
  // From driver 595 on, which deprecates driver_version in favour of it.
  "kmd_version",
  "serial",
  "vbios_version",
  "compute_mode",
  "compute_cap",
  "persistence_mode",
  "utilization.memory",
  "utilization.encoder",
  "utilization.decoder",
  "memory.free",
  "memory.reserved",
  "temperature.memory",
  "temperature.gpu.tlimit",
  "clocks.current.memory",
  "clocks.current.sm",
  "clocks.max.graphics",
  "clocks.max.memory",
  "clocks.max.sm",
  "power.draw.average",
  "power.draw.instant",
  "power.limit",
  "enforced.power.limit",
  "power.default_limit",
  "power.min_limit",
  "power.max_limit",
  "fan.speed",
  "pstate",
  "ecc.mode.current",
  "ecc.errors.corrected.volatile.total",
  "ecc.errors.uncorrected.volatile.total",
  "ecc.errors.corrected.aggregate.total",
  "ecc.errors.uncorrected.aggregate.total",
  "ecc.errors.uncorrected.aggregate.sram.thresholdExceeded",
  "retired_pages.single_bit_ecc.count",
  "retired_pages.double_bit.count",
  "retired_pages.pending",
  "remapped_rows.correctable",
  "remapped_rows.uncorrectable",
  "remapped_rows.pending",
  "remapped_rows.failure",
  "remapped_rows.histogram.max",
  "remapped_rows.histogram.high",
  "remapped_rows.histogram.partial",
  "remapped_rows.histogram.low",
  "remapped_rows.histogram.none",
  // The name up to driver 530. Later drivers list both names and print the newer one.
  "clocks_throttle_reasons.active",
  "clocks_event_reasons.active",
  "clocks_event_reasons_counters.sw_power_cap",
  "clocks_event_reasons_counters.sw_thermal_slowdown",
  "clocks_event_reasons_counters.hw_thermal_slowdown",
  "clocks_event_reasons_counters.hw_power_brake_slowdown",
  "pcie.link.gen.current",
  "pcie.link.gen.max",
  "pcie.link.width.current",
  "pcie.link.width.max",
  "fabric.state",
  "fabric.status",
  "gpu_recovery_action",
  "addressing_mode",
  // Right before the bus id, where the probe script looks for it.
  "mig.mode.current",
  "pci.bus_id",
] as const;

/** Every field that a query may ask for. */
export const QUERY_FIELDS: readonly string[] = [...TEN_FIELDS, ...MORE_FIELDS];

/**
 * Fields that stay as they are while the driver is loaded, or that change only together with another field. seldom.ts
 * keeps them, so most ticks do not ask for them.
 */
export const SELDOM_FIELDS: ReadonlySet<string> = new Set([
  "serial",
  "vbios_version",
  "compute_cap",
  "addressing_mode",
  "clocks.max.graphics",
  "clocks.max.memory",
  "clocks.max.sm",
  "power.default_limit",
  "power.min_limit",
  "power.max_limit",
  "remapped_rows.histogram.max",
  "remapped_rows.histogram.high",
  "remapped_rows.histogram.partial",
  "remapped_rows.histogram.low",
  "remapped_rows.histogram.none",
  "pcie.link.gen.max",
  "pcie.link.width.max",
]);

/** The fields of a usual tick: those of `fields` that are not kept. */
export function withoutSeldom(fields: readonly string[]): readonly string[] {
  return fields.filter((field) => !SELDOM_FIELDS.has(field));
}

/** Other names of a field, as drivers print them in a header. */
const CANONICAL: Readonly<Record<string, string>> = {
  kmd_version: "driver_version",
  gpu_name: "name",
  gpu_uuid: "uuid",
  gpu_serial: "serial",
  gpu_bus_id: "pci.bus_id",
  "clocks.gr": "clocks.current.graphics",
  "clocks.sm": "clocks.current.sm",
  "clocks.mem": "clocks.current.memory",
  "clocks.max.gr": "clocks.max.graphics",
  "clocks.max.mem": "clocks.max.memory",
  "clocks_throttle_reasons.active": "clocks_event_reasons.active",
  "gpu.power.draw.average": "power.draw.average",
  "gpu.power.draw.instant": "power.draw.instant",
  "gpu.power.requested_limit": "power.limit",
  "gpu.power.current_limit": "enforced.power.limit",
  "gpu.power.default_limit": "power.default_limit",
  "gpu.power.min_limit": "power.min_limit",
  "gpu.power.max_limit": "power.max_limit",
  "retired_pages.sbe": "retired_pages.single_bit_ecc.count",
  "retired_pages.dbe": "retired_pages.double_bit.count",
  "remapped_rows.sbe": "remapped_rows.correctable",
  "remapped_rows.dbe": "remapped_rows.uncorrectable",
};

export const OLD_FIELD_NAMES: readonly string[] = Object.keys(CANONICAL);

export function canonicalField(name: string): string {
  // A column may have the name of a property that every object has.
  return Object.hasOwn(CANONICAL, name) ? (CANONICAL[name] ?? name) : name;
}

/** Those of QUERY_FIELDS that are among `columns`, in the order of the query: no remote text gets into a command. */
export function fieldsAmong(columns: readonly string[]): readonly string[] {
  const known = QUERY_FIELDS.filter((field) => columns.includes(field));
  return known.length < 2 ? TEN_FIELDS : known;
}

export function queryCommand(columns: readonly string[]): string {
  return `{tool} --query-gpu=${fieldsAmong(columns).join(",")} --format=csv,nounits`;
}

/** The fields of the query that the driver's `--help-query-gpu` lists; TEN_FIELDS when it lists none. */
export function fieldsInHelp(help: string): readonly string[] {
  const lists = (field: string): boolean => help.includes(`"${field}"`);
  if (!lists("uuid")) return TEN_FIELDS;
  const isOld = (field: string): boolean => {
    if (field === "driver_version") return lists("kmd_version") || !lists(field);
    return field === "clocks_throttle_reasons.active" && lists("clocks_event_reasons.active");
  };
  return [...TEN_FIELDS, ...MORE_FIELDS.filter(lists)].filter((field) => !isOld(field));
}

/** The field that a driver refuses, `Field "x" is not a valid field to query.`; null where the text has no such message. */
export function refusedField(text: string): string | null {
  return /\bField "([\w.]{1,80})" is not a valid field/i.exec(text)?.[1] ?? null;
}

/** The uuid of a GPU or MIG instance; Tegra's has no prefix. */
export const UUID = /^(?:GPU|MIG|DLA)-|^[0-9a-f]{8}-[0-9a-f-]{27}$/i;
/** The PCI address in `pci.bus_id`. */
export const BUS_ID = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/i;
