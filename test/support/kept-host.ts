/**
 * A host whose boot id, driver version and CPU list are files of a test, with an nvidia-smi that notes each start: for
 * facts that are kept between runs. A login shell shows the files to our script instead of this machine's own.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fakeNvidiaSmi } from "./fake-tools.js";

/** By the short name that tests use for it, what the script reads. */
const FILES = {
  boot: "/proc/sys/kernel/random/boot_id",
  driver: "/sys/module/nvidia/version",
  name: "/proc/sys/kernel/hostname",
} as const;
type HostFile = keyof typeof FILES;

export const COLUMNS = [
  ...["index", "uuid", "name", "driver_version", "utilization.gpu [%]", "memory.used [MiB]"],
  ...["memory.total [MiB]", "temperature.gpu", "clocks.current.graphics [MHz]", "power.draw [W]"],
  ...["serial", "pci.bus_id"],
];
export const ROW =
  "0, GPU-1, NVIDIA H100, 590.48.01, 37, 19818, 81559, 59, 1980, 631.95, 1650, 00000000:17:00.0";

export interface KeptHost {
  readonly bin: string;
  /** For sshd, or for a local connection. */
  readonly shell: string;
  write(file: HostFile, text: string): void;
  /** Replaces the body of nvidia-smi, which notes its starts all the same. */
  tool(body: string): void;
  /** The first argument of each start since the last call, shortened: `help`, `query`, `version`. */
  starts(): readonly string[];
}

export function makeKeptHost(dir: string): KeptHost {
  const bin = join(dir, "bin");
  const folder = join(dir, "host");
  const log = join(dir, "starts");
  for (const each of [bin, folder]) mkdirSync(each, { recursive: true });
  const write = (file: HostFile, text: string): void => writeFileSync(join(folder, file), `${text}\n`);
  write("boot", "95b267a3-7772-4fa4-9d14-2f4d9b3aef4b");
  // Of a branch whose fields only help shows.
  write("driver", "570.86.15");
  write("name", "dgx-01");
  const shell = join(dir, "shell");
  const places = Object.entries(FILES).map(([file, path]) => `s#${path}#${folder}/${file}#g`);
  writeFileSync(
    shell,
    `#!/bin/sh\ncommand=$(printf %s "$2" | sed "${places.join(";")}")\nexec /bin/sh -c "$command"\n`,
  );
  const tool = (body: string): void => {
    const note = `case $1 in --query-gpu*) set -- "$1" query "$@";; *) set -- "$1" "\${1#--}" "$@";; esac; echo "$2" >>${log}; shift 2`;
    writeFileSync(join(bin, "nvidia-smi"), `#!/bin/sh\n${note}\n${body}\n`);
    chmodSync(join(bin, "nvidia-smi"), 0o755);
  };
  tool(fakeNvidiaSmi({ columns: COLUMNS, rows: [ROW], cases: [VERSION_CASE] }));
  writeFileSync(log, "");
  chmodSync(shell, 0o755);
  chmodSync(log, 0o666);
  return {
    ...{ bin, shell, write, tool },
    starts: () => {
      const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
      writeFileSync(log, "");
      return lines.map((line) => line.replace("-query-gpu", ""));
    },
  };
}

/** For `cases` of fakeNvidiaSmi. */
export const VERSION_CASE = '--version) echo "CUDA Version        : 13.1";;';
