/**
 * Simulated vendor tools, as sh scripts whose numbers change with the clock. They print in the format of the real ones
 * (`nvidia-smi` 590, `rocm-smi` of ROCm 6.1, `all-smi` 0.22). For demo hosts only.
 */

export interface SimulatedGpus {
  readonly name: string;
  readonly count: number;
  readonly memoryMiB: number;
  readonly maxWatts: number;
  /** It counts memory errors and has spare rows, as a board for data centers. */
  readonly hasEcc?: true;
}

const NVIDIA_FIELDS = [
  ...["index", "uuid", "name", "driver_version", "pci.bus_id", "utilization.gpu", "utilization.memory"],
  ...["memory.used", "memory.total", "memory.free", "temperature.gpu", "temperature.memory"],
  ...["temperature.gpu.tlimit", "clocks.current.graphics", "clocks.current.memory", "clocks.current.sm"],
  ...["clocks.max.graphics", "clocks.max.memory", "clocks.max.sm", "power.draw", "power.limit", "fan.speed"],
  ...["pstate", "ecc.mode.current", "ecc.errors.corrected.volatile.total"],
  ...["ecc.errors.uncorrected.volatile.total", "ecc.errors.corrected.aggregate.total"],
  ...["ecc.errors.uncorrected.aggregate.total", "remapped_rows.correctable", "remapped_rows.uncorrectable"],
  ...["remapped_rows.pending", "remapped_rows.failure", "remapped_rows.histogram.max"],
  ...["remapped_rows.histogram.high", "remapped_rows.histogram.partial", "remapped_rows.histogram.low"],
  ...["remapped_rows.histogram.none", "clocks_event_reasons.active"],
  ...["clocks_event_reasons_counters.sw_power_cap", "clocks_event_reasons_counters.sw_thermal_slowdown"],
  ...["clocks_event_reasons_counters.hw_thermal_slowdown"],
  ...["clocks_event_reasons_counters.hw_power_brake_slowdown", "pcie.link.gen.current", "pcie.link.gen.max"],
  ...["pcie.link.width.current", "pcie.link.width.max", "gpu_recovery_action", "persistence_mode"],
];
const ECC_CASES = `    temperature.memory) v=$(wander $i 50 84);;
    ecc.mode.current) v=Enabled;;
    ecc.errors.*) v=0;;
    remapped_rows.pending|remapped_rows.failure) v=No;;
    remapped_rows.histogram.max) v=2560;;
    remapped_rows.*) v=0;;
`;

const MAX_CELSIUS = 88;
const UUID_START = "GPU-de300000-0000-4000-8000-00000000000";

// A number that changes: $1 is the GPU, $2 and $3 are the bounds.
const WANDER = `now=$(date +%s)
wander() { echo $(( $2 + ( (now / 2) * (7 + $1 * 3) + $1 * 29 ) % ($3 - $2) )); }`;

/**
 * An nvidia-smi that answers --help-query-gpu, --query-gpu and --query-compute-apps. `lost` is the index of a GPU that has fallen off the bus; GPU 0
 * is at its highest temperature until `hotUntilSecs` (since the epoch).
 */
export function demoNvidiaSmi(
  gpus: SimulatedGpus,
  quirks: { readonly lost?: number; readonly sleepSecs?: number; readonly hotUntilSecs?: number } = {},
): string {
  const { name, count, memoryMiB, maxWatts, hasEcc } = gpus;
  return `${WANDER}
used() { echo $(( ${memoryMiB} * $(wander $1 40 97) / 100 )); }
known="${NVIDIA_FIELDS.join(" ")}"
case "$1" in
--help-query-gpu) for f in $known; do echo "\\"$f\\""; done; exit 0;;
--query-gpu=*) fields=$(echo "\${1#--query-gpu=}" | tr , " ");;
--query-compute-apps=*) echo "gpu_uuid, pid, process_name, used_gpu_memory [MiB]"
  i=0
  while [ $i -lt ${count} ]; do
    [ "$i" = "${quirks.lost ?? "none"}" ] || echo "${UUID_START}$i, $PPID, python3, $(used $i)"
    i=$((i + 1))
  done; exit 0;;
*) echo "demo nvidia-smi: not simulated: $*"; exit 2;;
esac
${quirks.sleepSecs === undefined ? "" : `sleep ${quirks.sleepSecs}`}
echo "$fields" | sed "s/ /, /g"
i=0
while [ $i -lt ${count} ]; do
  if [ "$i" = "${quirks.lost ?? "none"}" ]; then
    echo "Unable to determine the device handle for GPU$i: 0000:0$i:00.0: GPU is lost.  Reboot the system to recover this GPU"
    i=$((i + 1)); continue
  fi
  heat=$(wander $i 48 78); reasons=0x0; [ $i -gt 0 ] || reasons=0x4
  if [ $i = 0 ] && [ $now -lt ${quirks.hotUntilSecs ?? 0} ]; then heat=${MAX_CELSIUS}; reasons=0x40; fi
  used=$(used $i); row=
  for f in $fields; do
    case $f in
    index) v=$i;;
    uuid) v=${UUID_START}$i;;
    name) v="${name}";;
    driver_version) v=590.48.01;;
    pci.bus_id) v=00000000:0$i:00.0;;
    utilization.gpu) v=$(wander $i 55 100);;
    utilization.memory) v=$(wander $i 20 70);;
    memory.used) v=$used;;
    memory.total) v=${memoryMiB};;
    memory.free) v=$((${memoryMiB} - used));;
    temperature.gpu) v=$heat;;
    clocks.current.graphics) v=$(wander $i 1600 1980);;
    power.draw) v=$(wander $i $((${maxWatts} / 2)) ${maxWatts}).$(wander $i 10 99);;
    power.limit) v=${maxWatts}.00;;
    pstate) v=P0;;
    ecc.errors.uncorrected.volatile.total) v=0;;
    persistence_mode) v=Enabled;;
    temperature.gpu.tlimit) v=$((${MAX_CELSIUS} - heat));;
    clocks.current.sm) v=$(wander $i 1600 1980);;
    clocks.max.graphics|clocks.max.sm) v=1980;;
    clocks.current.memory|clocks.max.memory) v=2619;;
    pcie.link.gen.*) v=5;;
    pcie.link.width.*) v=16;;
    gpu_recovery_action) v=None;;
    clocks_event_reasons.active) v=$reasons;;
    clocks_event_reasons_counters.sw_power_cap) v=0; [ $i -gt 0 ] || v=$(( now % 86400 * 200000 ));;
    clocks_event_reasons_counters.*) v=0;;
${hasEcc === true ? ECC_CASES : ""}    *) v="[N/A]";;
    esac
    row="$row\${row:+, }$v"
  done
  echo "$row"
  i=$((i + 1))
done`;
}

/** A rocm-smi that prints the JSON of ROCm 6.1. */
export function rocmSmi({ name, count, memoryMiB, maxWatts }: SimulatedGpus): string {
  return `${WANDER}
i=0; separator=
printf "{"
while [ $i -lt ${count} ]; do
  total=$(( ${memoryMiB} * 1048576 ))
  printf '%s"card%d": {"Card Series": "${name}", "Unique ID": "0xde300000000%05d", "GPU use (%%)": "%d", ' "$separator" $i $i $(wander $i 55 100)
  printf '"Temperature (Sensor junction) (C)": "%d.0", "Current Socket Graphics Package Power (W)": "%d.0", ' $(wander $i 45 80) $(wander $i $((${maxWatts} / 2)) ${maxWatts})
  printf '"VRAM Total Memory (B)": "%d", "VRAM Total Used Memory (B)": "%d", ' $total $((total / 100 * $(wander $i 40 97)))
  printf '"PCI Bus": "0000:%d1:00.0", "sclk clock speed:": "(%dMhz)"}' $i $(wander $i 1500 2100)
  separator=", "; i=$((i + 1))
done
printf ', "system": {"Driver version": "6.8.5"}}\\n'`;
}

/** An all-smi that answers --version and snapshot. */
export function allSmi({ name, count, memoryMiB, maxWatts }: SimulatedGpus): string {
  const required = `"ane_utilization":0.0,"dla_utilization":null,"tensorcore_utilization":null,"gpu_core_count":null`;
  return `${WANDER}
case "$1" in
--version) echo "all-smi 0.22.0"; exit 0;;
snapshot) ;;
*) exit 2;;
esac
stamp=$(date -u +%Y-%m-%dT%H:%M:%SZ)
labels="\\"host_id\\":\\"local\\",\\"hostname\\":\\"local\\",\\"instance\\":\\"local\\",\\"time\\":\\"$stamp\\""
printf '{"schema":1,"timestamp":"%s","hostname":"local",' "$stamp"
case "$*" in *process*) printf '"processes":[],';; esac
case "$*" in *storage*) printf '"storage":[{%s,"index":0,"mount_point":"/","total_bytes":1900000000000,"available_bytes":1100000000000}],' "$labels";; esac
printf '"gpus":['
i=0; separator=
while [ $i -lt ${count} ]; do
  total=$(( ${memoryMiB} * 1048576 ))
  printf '%s{%s,"uuid":"GPU-a1100000-0000-4000-8000-00000000000%d","name":"${name}","device_type":"GPU",${required},' "$separator" "$labels" $i
  printf '"utilization":%d.0,"temperature":%d,"used_memory":%d,' $(wander $i 55 100) $(wander $i 45 80) $((total / 100 * $(wander $i 40 97)))
  printf '"total_memory":%d,"frequency":%d,"power_consumption":%d.0,"detail":{}}' $total $(wander $i 1500 1980) $(wander $i $((${maxWatts} / 2)) ${maxWatts})
  separator=,; i=$((i + 1))
done
printf '],"memory":[{%s,"index":0,"total_bytes":2164000000000,"used_bytes":%d000000000,"available_bytes":900000000000,"free_bytes":700000000000,' "$labels" $(wander 1 400 1200)
printf '"buffers_bytes":0,"cached_bytes":0,"swap_total_bytes":0,"swap_used_bytes":0,"swap_free_bytes":0,"utilization":%d.0}]}\\n' $(wander 1 20 60)`;
}

/** A journalctl with these messages of the kernel, ten minutes old, and nothing new later. */
export function kernelLog(messages: readonly string[] = []): string {
  const zeros = "0".repeat(32);
  const lines = ["Linux version 6.8.0-demo", ...messages].map(
    (message) => `echo "$((now-600)).000000 demo kernel: ${message}"`,
  );
  return [
    `case "$*" in *--after-cursor*) echo "-- No entries --"; exit;; esac`,
    `now=$(date +%s)`,
    ...lines,
    `echo "-- cursor: s=${zeros};i=1;b=${zeros};m=1;t=1;x=1"`,
  ].join("\n");
}
