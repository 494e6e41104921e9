/**
 * The shell text that reads AMD's and Intel's GPUs from the kernel's files, by the shell's own `read`: a tick starts no
 * process. A driver's folder lists the PCI devices that it drives, so neither connectors nor the displays of virtual
 * machines and of management controllers (ast, mgag200, bochs, simpledrm) are among them. NVIDIA's drivers have no readings
 * here. All shells that a host's /bin/sh may be run it.
 *
 * Sources: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst; Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon,
 * sysfs-driver-intel-xe-hwmon (fans from 6.16 on, temperatures from 6.15) and sysfs-devices-power (runtime_status);
 * Documentation/hwmon/sysfs-interface.rst of Linux 6.16.
 */
import { NOTE_PCI_ID, PCI_NAMES_COMMAND } from "../kit/pci-names.js";

export const DRIVERS = ["amdgpu", "i915", "xe"] as const;

const DEVICES = DRIVERS.map((driver) => `/sys/bus/pci/drivers/${driver}/*:*:*.*`).join(" ");

/** A condition: a GPU of these drivers is there. */
export const HAS_GPU = `{ for zd in ${DEVICES}; do if [ -e $zd/vendor ]; then break; fi; done; [ -e $zd/vendor ]; }`;

/** A line `NAME VALUE` of each of the files that is there. */
const readFiles = (folder: string, names: readonly string[]): string =>
  `for zf in ${names.join(" ")}; do zv=; { read -r zv; } <${folder}/$zf && w "$zf $zv$n"; done`;

/** A line `NAME VALUE` of one file, as another name. */
const readAs = (name: string, path: string): string => `zv=; { read -r zv; } <${path} && w "${name} $zv$n"`;

// `current` rows of pp_dpm_sclk end in `*`. Only where the sensor of the clock is missing.
const currentLevel = (file: string, sensor: string): string =>
  `if [ -e $zh/${sensor} ]; then :; else while read -r zv; do case $zv in *"*") w "${file} $zv$n"; break;; esac; done <$zd/${file}; fi`;

const HWMON_OF_AMD = [
  ...["temp1_input", "temp2_input", "temp3_input", "power1_average", "power1_input", "power1_cap"],
  ...["freq1_input", "freq2_input", "fan1_input", "pwm1"],
];

// umc, the memory controller, has the memory's errors: two lines, as `ue: 0` and `ce: 0`.
const READ_AMD = [
  readFiles("$zd", [
    ...["gpu_busy_percent", "mem_busy_percent", "mem_info_vram_total", "mem_info_vram_used"],
    ...["mem_info_gtt_total", "mem_info_gtt_used", "pcie_replay_count"],
  ]),
  `for zh in $zd/hwmon/hwmon*; do ${readFiles("$zh", HWMON_OF_AMD)}; break; done`,
  currentLevel("pp_dpm_sclk", "freq1_input"),
  currentLevel("pp_dpm_mclk", "freq2_input"),
  `zv=; zi=; { read -r zv; read -r zi; } <$zd/ras/umc_err_count && w "umc_err_count $zv $zi$n"`,
].join("; ");

const HWMON_OF_INTEL = [
  ...["energy1_input", "energy2_input", "power1_max", "power2_max"],
  ...["temp1_input", "temp2_input", "temp3_input", "fan1_input"],
];

// A GT may have an hwmon of its own (`i915_gt0`). The uptime stands beside the energy, whose difference is power.
const READ_INTEL = [
  `for zh in $zd/hwmon/hwmon*; do zv=; { read -r zv; } <$zh/name; case $zv in i915|xe) ${readFiles("$zh", HWMON_OF_INTEL)}; ` +
    `{ read -r zv zi; } </proc/uptime && w "uptime $zv$n";; esac; done`,
  `case $zr in xe) ${readAs("act_freq", "$zd/tile0/gt0/freq0/act_freq")};; ` +
    `*) for zh in $zd/drm/card*; do if [ -e $zh/gt/gt0/rps_act_freq_mhz ]; ` +
    `then ${readAs("act_freq", "$zh/gt/gt0/rps_act_freq_mhz")}; ` +
    `else ${readAs("act_freq", "$zh/gt_act_freq_mhz")}; fi; break; done;; esac`,
].join("; ");

const READ_LINK = readFiles("$zd", ["current_link_speed", "current_link_width"]);

/** Each device as a line `@ADDRESS DRIVER RUNTIME_STATUS`, then what `commands` print of it. */
const forEachDevice = (commands: string): string =>
  `for zd in ${DEVICES}; do case $zd in *[*]*) continue;; esac; zr=\${zd%/*}; zr=\${zr##*/}; ` +
  `zs=; { read -r zs; } <$zd/power/runtime_status; w "@\${zd##*/} $zr $zs$n"; ${commands}; done 2>/dev/null`;

/** A device that sleeps has no readings, and some kernels wake it for one. */
const unlessAsleep = (commands: string, isWaking: boolean): string =>
  isWaking ? commands : `case $zs in susp*) ;; *) ${commands};; esac`;

/** The readings of a tick. `isWaking`: also those of a device that sleeps. */
export function readingsCommand(isWaking: boolean): string {
  const readAll = `case $zr in amdgpu) ${READ_AMD};; *) ${READ_INTEL};; esac; ${READ_LINK}`;
  return `${forEachDevice(unlessAsleep(readAll, isWaking))}; :`;
}

// in1_label, the northbridge's voltage, is only there on APUs; MI300A has none.
const STATIC_OF_AMD =
  `${readFiles("$zd", ["product_name", "serial_number", "unique_id", "vbios_version", "current_compute_partition", "current_memory_partition"])}; ` +
  `for zh in $zd/hwmon/hwmon*; do if [ -e $zh/in1_label ]; then w "is_apu 1$n"; fi; done`;
const STATIC_OF_INTEL =
  `for zh in $zd/hwmon/hwmon*; do if [ -e $zh/name ]; then w "has_hwmon 1$n"; fi; done; ` +
  `for zh in $zd/drm/card*/lmem_total_bytes $zd/tile*/physical_vram_size_bytes; do ${readAs("vram_bytes", "$zh")}; done`;

/** What does not change while the host runs, once a session: ids, the card's number, the driver, and names. */
export function factsCommand(isWaking: boolean): string {
  const readStatic = `case $zr in amdgpu) ${STATIC_OF_AMD};; *) ${STATIC_OF_INTEL};; esac`;
  const facts = [
    NOTE_PCI_ID,
    readFiles("$zd", ["numa_node"]),
    `for zh in $zd/drm/card*; do w "card \${zh##*/card}$n"; break; done`,
    readAs("driver_version", "/sys/module/$zr/version"),
    unlessAsleep(readStatic, isWaking),
  ].join("; ");
  return `zn=; ${forEachDevice(facts)}; ${PCI_NAMES_COMMAND}; :`;
}
