/** What is asked of a Linux host once a session: files of /proc and /sys, as commands of its shell. */
import type { Part } from "../shims/kit/shim.js";
import { CPUINFO_FILES, CPUINFO_LINES } from "./cpuinfo.js";

const PER_CPU = [
  "topology/core_siblings_list",
  "topology/thread_siblings_list",
  "cache/index[23]/size",
  "cache/index[23]/shared_cpu_list",
  "cpufreq/cpuinfo_max_freq",
  "cpufreq/base_frequency",
  "cpu_capacity",
].map((file) => `cpu[0-9]*/${file}`);

/** The kernel's list of the CPUs that run. */
export const ONLINE_CPUS = "/sys/devices/system/cpu/online";

const OTHER_FILES = [
  "cpu0/acpi_cppc/nominal_freq",
  ONLINE_CPUS,
  "/sys/devices/system/cpu/offline",
  "/sys/devices/cpu_core/cpus",
  "/sys/devices/cpu_atom/cpus",
  "/sys/fs/cgroup/memory.max",
  "/sys/fs/cgroup/cpu.max",
  "/sys/fs/cgroup/memory/memory.limit_in_bytes",
  "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
  "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
];

/** Texts of the manufacturer: a file of /sys/class/dmi/id, and its name in a record. */
export const DMI = {
  product_name: "Product Name",
  sys_vendor: "Vendor",
  board_name: "Board",
  product_version: "Version",
  bios_version: "BIOS Version",
} as const;

/** `case` patterns of `$hq`, the number of the host's CPUs: few enough for the shell (MAX_CPUS_BY_SHELL of proc-part.ts). */
export const WHERE_FEW_CPUS = "[1-9]|1[0-9]|2[0-2]";

// One program reads all that other processes may serve (lxcfs), under a deadline. CPU numbers are cut off where they do not
// matter, so that of 256 equal lines one is left, with its count. A host without awk sends the lines themselves.
const READ_FILES =
  `hg() { x grep -s -i -E "^(${CPUINFO_LINES}|(max|-1|[0-9][0-9,K-]*)( [0-9]+)?$)| /(proc|sys)[^ ]* fuse[.]lxcfs " ` +
  `/dev/null ${CPUINFO_FILES} ${[...PER_CPU, ...OTHER_FILES].join(" ")}; }`;
const COUNT_LINES = `awk "{ if (\\$0 ~ /cpu_capacity/); else sub(/^cpu[0-9]+/, z); n[\\$0]++ } END { for (k in n) print n[k], k }"`;

/**
 * Files of one line that show whether the facts of an earlier run still hold: CPUs that run, clocks that are allowed, and
 * limits of the cgroup. The shell reads them, which starts no program.
 */
const STATE_FILES = [
  ...["online", "cpu0/cpufreq/cpuinfo_max_freq", "intel_pstate/no_turbo", "cpufreq/boost"].map(
    (file) => `$hd/${file}`,
  ),
  ...["memory.max", "cpu.max", "memory/memory.limit_in_bytes"].map((file) => `$hn/${file}`),
  ...["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"].map((file) => `$hn/${file}`),
];
const READ_STATE =
  `hd=/sys/devices/system/cpu; hn=/sys/fs/cgroup; kk=$hq; ` +
  `for hi in ${STATE_FILES.join(" ")}; do hl=-; { read -r hl; } <$hi; kk="$kk/$hl"; done 2>/dev/null`;

// The manufacturer's texts are read by the shell: they are the kernel's own copies, which never hang.
const COMMANDS = [
  `case "$U" in *" "*) echo "\${U#* }";; *) uname -m;; esac`,
  `echo @sys`,
  `for hi in ${Object.keys(DMI).join(" ")}; do hl=; { read -r hl; } </sys/class/dmi/id/$hi; ` +
    `case "$hl" in ?*) printf "%s\\n" "/sys/class/dmi/id/$hi:$hl";; esac; done 2>/dev/null`,
  `echo @model`,
  `if [ -r /proc/device-tree/model ]; then tr -d "\\000" </proc/device-tree/model; echo; fi`,
  `cd /sys/devices/system/cpu 2>/dev/null || cd /proc`,
  READ_FILES,
  `hn=; case $hq in ${WHERE_FEW_CPUS}) ;; *) command -v awk >/dev/null && hn=1;; esac`,
  `case $hn in 1) echo @counts; hg | ${COUNT_LINES};; *) echo @files; hg;; esac`,
].join("; ");

/** Lines of the answer: it completes kept facts, or else what shows later whether these facts still hold. */
export const KEPT_MARK = "@kept";
export const STATE_MARK = "@state ";

/** Has the clocks of the CPUs as they are now. */
export const CPU_CLOCKS = "/proc/cpuinfo";

/** What changes while the machine runs, and so is never kept: it is read beside the kept facts. */
const LIVE_LINES = "cpu mhz|clock[[:blank:]]*:|Cpus_allowed_list:|proc /proc proc ";
const LIVE_LINE = /(?:^| )\/proc\/(?:cpuinfo:(?:cpu mhz|clock\s*:)|self\/status:|mounts:)/i;
/** `$kc`: the file with the clocks, where they are of use; the kernel asks each CPU for its own. */
const READ_LIVE =
  `grep -s -i -E "^(${LIVE_LINES})| /(proc|sys)[^ ]* fuse[.]lxcfs " /dev/null ` +
  CPUINFO_FILES.replace(CPU_CLOCKS, "$kc");

/** The facts in an answer of LINUX_FACTS that stay the same as long as the machine's state does. */
export function lastingFacts(stdout: string): string {
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(STATE_MARK) && !LIVE_LINE.test(line))
    .join("\n");
}

/** `case` patterns for `$hf`, the output of LINUX_FACTS: the kernel's own /proc is mounted, and no FUSE server's over it. */
export const WHERE_KERNEL_PROC = `*" fuse.lxcfs "*) hk=;; *"proc /proc proc "*) hk=1;;`;

/** The output of all commands is collected first, so that it is sent in one packet. `$kf`: the state of kept facts. */
export const LINUX_FACTS: Part = {
  id: "host.facts",
  kind: "buffered-shell",
  command:
    `set -- /sys/devices/system/cpu/cpu[0-9]*; hq=$#; ${READ_STATE}; f; hk=; ` +
    `case "$kk" in "$kf") hf=$(exec ${READ_LIVE}); case "$hf" in ${WHERE_KERNEL_PROC} esac;; esac; ` +
    `case $hk in 1) w "${KEPT_MARK}$n@files$n$hf$n";; *) hf=$(${COMMANDS}); w "$hf$n${STATE_MARK}$kk$n";; esac`,
};
