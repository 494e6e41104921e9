/** The `--query-gpu` fields that we ask for, and the shell text that asks for those that a driver knows. */

/** Known to every driver since 2012; what is asked when `--help-query-gpu` tells nothing. */
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
 * Asked for where the driver's help lists them. The bus id stands last: it has a shape of its own, so a row whose end
 * was cut is known.
 */
const MORE_FIELDS = [
  "serial",
  "vbios_version",
  "compute_mode",
  "compute_cap",
  "persistence_mode",
  "utilization.memory",
  "memory.free",
  "memory.reserved",
  "temperature.memory",
  "clocks.current.memory",
  "clocks.current.sm",
  "power.draw.average",
  "power.draw.instant",
  "power.limit",
  "enforced.power.limit",
  "fan.speed",
  "pstate",
  "ecc.mode.current",
  "ecc.errors.corrected.volatile.total",
  "ecc.errors.uncorrected.volatile.total",
  "ecc.errors.corrected.aggregate.total",
  "ecc.errors.uncorrected.aggregate.total",
  "retired_pages.pending",
  "remapped_rows.pending",
  "remapped_rows.failure",
  // The name up to driver 530; later drivers list both and print the newer one.
  "clocks_throttle_reasons.active",
  "clocks_event_reasons.active",
  "pcie.link.gen.current",
  "pcie.link.width.current",
  "gpu_recovery_action",
  "addressing_mode",
  // Before the bus id, where the probe's script looks for it.
  "mig.mode.current",
  "pci.bus_id",
] as const;

const KNOWN: readonly string[] = [...TEN_FIELDS, ...MORE_FIELDS];

/** Other names of a field, as drivers print them in a header. */
const CANONICAL: Readonly<Record<string, string>> = {
  gpu_name: "name",
  gpu_uuid: "uuid",
  gpu_serial: "serial",
  gpu_bus_id: "pci.bus_id",
  "clocks.gr": "clocks.current.graphics",
  "clocks.sm": "clocks.current.sm",
  "clocks.mem": "clocks.current.memory",
  "clocks_throttle_reasons.active": "clocks_event_reasons.active",
  "gpu.power.draw.average": "power.draw.average",
  "gpu.power.draw.instant": "power.draw.instant",
  "gpu.power.requested_limit": "power.limit",
  "gpu.power.current_limit": "enforced.power.limit",
};

export const OLD_FIELD_NAMES: readonly string[] = Object.keys(CANONICAL);

export function canonicalField(name: string): string {
  // A column may be called as something that every object has.
  return Object.hasOwn(CANONICAL, name) ? (CANONICAL[name] ?? name) : name;
}

/** Those of our own list that are among these columns, in the order in which they are asked: none is remote text. */
export function fieldsAmong(columns: readonly string[]): readonly string[] {
  const known = KNOWN.filter((field) => columns.includes(field));
  return known.length < 2 ? TEN_FIELDS : known;
}

export function queryCommand(columns: readonly string[]): string {
  return `{tool} --query-gpu=${fieldsAmong(columns).join(",")} --format=csv,nounits`;
}

/** Which of our fields the driver's `--help-query-gpu` lists; the ten when it lists none. */
export function fieldsInHelp(help: string): readonly string[] {
  if (!help.includes('"uuid"')) return TEN_FIELDS;
  const listed = MORE_FIELDS.filter((field) => help.includes(`"${field}"`));
  const renamed = listed.includes("clocks_event_reasons.active");
  return [...TEN_FIELDS, ...listed.filter((field) => !renamed || field !== "clocks_throttle_reasons.active")];
}

/** First words of the two lines with which the probe tells the fields that it asked for and the query's exit status. */
export const FIELDS_MARK = "@fields ";
export const EXIT_MARK = "@exit ";

const TEN = TEN_FIELDS.join(",");

/**
 * Asks for help and then for what help lists, in one round trip: the choice is made by the shell's own `case`. Ends
 * with status 0 when at least one GPU with a uuid answered, whatever the tool's status was (it is not 0 as soon as one
 * GPU is lost); else with the tool's own, or 6 (no devices) for an empty answer.
 */
export const PROBE_COMMAND = [
  `h=$(x {tool} --help-query-gpu 2>/dev/null); q=${TEN}`,
  `case $h in *\\"clocks_event_reasons.active\\"*) s=clocks_throttle_reasons.active;; *) s=;; esac`,
  `case $h in *\\"uuid\\"*) for f in ${MORE_FIELDS.join(" ")}; do ` +
    `case $h in *\\"$f\\"*) case $f in "$s") ;; *) q=$q,$f;; esac;; esac; done;; esac`,
  `o=$(x {tool} --query-gpu=$q --format=csv,nounits 2>&1); r=$?`,
  `case $o in *"not a valid field"*) q=${TEN}; o=$(x {tool} --query-gpu=$q --format=csv,nounits 2>&1); r=$?;; esac`,
  `printf "%s\\n" "${FIELDS_MARK}$q" "$o" "${EXIT_MARK}$r"`,
  `case $o in *GPU-*) ;; *) case $r in 0) ( exit 6 );; *) ( exit $r );; esac;; esac`,
].join("; ");

/**
 * Runs a command only where the probe's query, whose answer is still in $o, told a GPU in MIG mode: `Enabled` and then
 * the bus id, the only cell with a colon after eight digits.
 */
export function whereMigIsEnabled(command: string): string {
  return `case $o in *"Enabled, "????????:??:*) b ${command};; esac`;
}

/** A GPU's or MIG instance's; Tegra's has no prefix. */
export const UUID = /^(?:GPU|MIG|DLA)-|^[0-9a-f]{8}-[0-9a-f-]{27}$/i;
/** A PCI address, as `pci.bus_id`. */
export const BUS_ID = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/i;
