/**
 * The section `host` of a Linux host: boot, kernel, drivers, pressure, NUMA memory and the state of disks. Files of /proc
 * and /sys only: no disk is asked, so that none is woken.
 */
import type { Disk, Host, NumaNode, Pressure } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Part } from "../shims/kit/shim.js";
import { kibibytes, wholeNumber } from "./numbers.js";
import { filesIn, textIn } from "./sys-files.js";

type Files = ReadonlyMap<string, readonly string[]>;

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const KERNEL = "/proc/sys/kernel/osrelease";
const UPTIME = "/proc/uptime";
const OS_RELEASE = "/etc/os-release";

/** Kernel modules of accelerators. The kernel's own ones have no version of their own. */
const DRIVER_MODULES = [
  ...["nvidia", "amdgpu", "i915", "xe", "habanalabs", "neuron", "drv_pcie_host", "tenstorrent", "rebellions"],
  ...["furiosa_rngd", "gasket"],
];

const WHOLE_FILES = [
  ...[BOOT_ID, KERNEL, UPTIME],
  ...["cpu", "memory", "io"].map((name) => `/proc/pressure/${name}`),
  ...DRIVER_MODULES.map((name) => `/sys/module/${name}/version`),
  // A drive's model and state: of the controller for NVMe, of the device for SCSI and ATA, of the array for md.
  ...["/sys/class/nvme/nvme*/state", "/sys/class/nvme/nvme*/model"],
  ...["/sys/block/sd*/device/state", "/sys/block/sd*/device/model"],
  ...["/sys/block/md*/md/array_state", "/sys/block/md*/md/degraded"],
];

/**
 * All lines of the files above, PRETTY_NAME of os-release, MemTotal and MemFree of the nodes: one program reads all of it, so
 * the pattern is of the lines that are not printed.
 */
const UNWANTED = "^Node +[0-9]+ ([^M]|M[^e]|Mem[^TF])|^([A-OQ-Z]|P[A-QS-Z])[A-Z_]*=";

export const HOST_STATE: Part = {
  id: "host.state",
  kind: "shell",
  command:
    `b grep -s -v -E "${UNWANTED}" /dev/null ${WHOLE_FILES.join(" ")} ` +
    `${OS_RELEASE} /sys/devices/system/node/node*/meminfo`,
};

/** `stdout`: of HOST_STATE. Null where it has none of the files. */
export function parseHostState(stdout: string): Host | null {
  const files = filesIn(stdout.split("\n"));
  if (files.size === 0) return null;
  return {
    index: 0,
    boot_id: textIn(files, BOOT_ID),
    uptime_seconds: uptime(textIn(files, UPTIME)),
    os: prettyName(files.get(OS_RELEASE) ?? []),
    kernel: textIn(files, KERNEL),
    driver_versions: driverVersions(files),
    pressure: pressure(files),
    numa_nodes: numaNodes(files),
    disks: disks(files),
  };
}

/** proc_uptime(5): seconds since boot, with two decimals. */
function uptime(text: string | null): number | null {
  const match = /^(\d{1,12}\.\d{2})\s/.exec(text ?? "");
  return match === null ? null : Number(match[1]);
}

/** os-release(5): a shell assignment, quoted where it has blanks. */
function prettyName(lines: readonly string[]): string | null {
  const value = lines.map((line) => /^PRETTY_NAME=(.*)$/.exec(line)?.[1]).find((text) => text !== undefined);
  const bare = value?.replace(/^(["'])(.*)\1$/, "$2").replace(/\\(["'$`\\])/g, "$1") ?? "";
  return bare === "" ? null : cleanText(bare);
}

function driverVersions(files: Files): Readonly<Record<string, string>> {
  return Object.fromEntries(
    DRIVER_MODULES.flatMap((name) => {
      const version = textIn(files, `/sys/module/${name}/version`);
      return version === null ? [] : [[name, version]];
    }),
  );
}

/** Documentation/accounting/psi.rst: `some avg10=0.12 avg60=... avg300=... total=...`. */
function pressure(files: Files): Pressure {
  const average = (name: string, kind: "some" | "full"): number | null => {
    const line = files.get(`/proc/pressure/${name}`)?.find((each) => each.startsWith(`${kind} `));
    const match = /\bavg10=(\d{1,3}\.\d{1,3})\b/.exec(line ?? "");
    const percent = match === null ? null : Number(match[1]);
    return percent !== null && percent <= 100 ? percent : null;
  };
  return {
    cpu_some: average("cpu", "some"),
    memory_some: average("memory", "some"),
    memory_full: average("memory", "full"),
    io_some: average("io", "some"),
    io_full: average("io", "full"),
  };
}

/** `Node 0 MemTotal:  32768000 kB`. */
function numaNodes(files: Files): readonly NumaNode[] {
  const nodes: NumaNode[] = [];
  for (const [path, lines] of files) {
    const node = wholeNumber(/^\/sys\/devices\/system\/node\/node(\d{1,5})\/meminfo$/.exec(path)?.[1]);
    if (node === null) continue;
    const bytes = (name: string): number | null => {
      const row = lines.find((line) => line.includes(` ${name}:`));
      return kibibytes(/(\d+) kB$/.exec(row ?? "")?.[1]);
    };
    nodes.push({ node, total_bytes: bytes("MemTotal"), free_bytes: bytes("MemFree") });
  }
  return nodes.sort((a, b) => a.node - b.node);
}

const NVME = /^\/sys\/class\/nvme\/(nvme\d{1,5})\/(state|model)$/;
const SCSI = /^\/sys\/block\/(sd[a-z]{1,4})\/device\/(state|model)$/;
const ARRAY = /^\/sys\/block\/(md[\w-]{1,30})\/md\/(array_state|degraded)$/;

function disks(files: Files): readonly Disk[] {
  const found = new Map<string, { -readonly [Key in keyof Disk]: Disk[Key] }>();
  for (const path of files.keys()) {
    const match = NVME.exec(path) ?? SCSI.exec(path) ?? ARRAY.exec(path);
    const [, name = "", file = ""] = match ?? [];
    if (match === null) continue;
    const disk = found.get(name) ?? { name, model: null, state: null };
    found.set(name, disk);
    const text = textIn(files, path);
    if (file === "model") disk.model = text;
    else if (file === "degraded") disk.degraded_members = wholeNumber(text ?? "");
    else disk.state = text;
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}
