/** A stand-in for nvidia-smi with eight GPUs that costs next to nothing: a static program where a C compiler is there. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The driver that it stands in for. */
export const DRIVER_VERSION = "590.48.01";

/**
 * All that we ask of driver 590. `INDEX` is the GPU's, `#` a digit that differs from call to call: live readings are never
 * the same twice.
 */
const FIELDS: readonly (readonly [string, string])[] = [
  ["index", "INDEX"],
  ["uuid", "GPU-6e3c5b1a-0000-0000-0000-00000000000INDEX"],
  ["name", "NVIDIA H100 80GB HBM3"],
  ["driver_version", DRIVER_VERSION],
  ["pci.bus_id", "00000000:0INDEX:00.0"],
  ["serial", "165202300INDEX"],
  ["utilization.gpu", "3#"],
  ["utilization.memory", "2#"],
  ["memory.used", "1981#"],
  ["memory.total", "81559"],
  ["memory.free", "6174#"],
  ["temperature.gpu", "5#"],
  ["clocks.current.graphics", "198#"],
  ["clocks.current.memory", "2619"],
  ["power.draw", "63#.#5"],
  ["power.limit", "700.00"],
  ["fan.speed", "[N/A]"],
  ["pstate", "P0"],
  ["persistence_mode", "Enabled"],
  ["mig.mode.current", "Disabled"],
  ["compute_mode", "Default"],
  ["vbios_version", "96.00.74.00.01"],
  ["compute_cap", "9.0"],
  ["utilization.encoder", "0"],
  ["utilization.decoder", "0"],
  ["memory.reserved", "638"],
  ["temperature.memory", "5#"],
  ["temperature.gpu.tlimit", "2#"],
  ["clocks.current.sm", "198#"],
  ["clocks.max.graphics", "1980"],
  ["clocks.max.memory", "2619"],
  ["clocks.max.sm", "1980"],
  ["power.draw.average", "63#.#5"],
  ["power.draw.instant", "63#.#5"],
  ["enforced.power.limit", "700.00"],
  ["power.default_limit", "700.00"],
  ["power.min_limit", "200.00"],
  ["power.max_limit", "700.00"],
  ["ecc.mode.current", "Enabled"],
  ["ecc.errors.corrected.volatile.total", "0"],
  ["ecc.errors.uncorrected.volatile.total", "0"],
  ["ecc.errors.corrected.aggregate.total", "0"],
  ["ecc.errors.uncorrected.aggregate.total", "0"],
  ["ecc.errors.uncorrected.aggregate.sram.thresholdExceeded", "No"],
  ["retired_pages.single_bit_ecc.count", "[N/A]"],
  ["retired_pages.double_bit.count", "[N/A]"],
  ["retired_pages.pending", "[N/A]"],
  ["remapped_rows.correctable", "0"],
  ["remapped_rows.uncorrectable", "0"],
  ["remapped_rows.pending", "No"],
  ["remapped_rows.failure", "No"],
  ["remapped_rows.histogram.max", "2560"],
  ["remapped_rows.histogram.high", "0"],
  ["remapped_rows.histogram.partial", "0"],
  ["remapped_rows.histogram.low", "0"],
  ["remapped_rows.histogram.none", "0"],
  ["clocks_event_reasons.active", "0x0000000000000004"],
  ["clocks_event_reasons_counters.sw_power_cap", "1824###"],
  ["clocks_event_reasons_counters.sw_thermal_slowdown", "0"],
  ["clocks_event_reasons_counters.hw_thermal_slowdown", "0"],
  ["clocks_event_reasons_counters.hw_power_brake_slowdown", "0"],
  ["pcie.link.gen.current", "5"],
  ["pcie.link.gen.max", "5"],
  ["pcie.link.width.current", "16"],
  ["pcie.link.width.max", "16"],
  ["fabric.state", "Completed"],
  ["fabric.status", "Success"],
  ["gpu_recovery_action", "None"],
  ["addressing_mode", "HMM"],
];

/** As long as that of driver 590, 32 KB. */
const HELP = FIELDS.map(([field]) => `"${field}"\n${"A field of the stand-in. ".repeat(17)}\n\n`).join("");

const VERSION =
  "NVIDIA-SMI version  : 590.48.01\nDRIVER version      : 590.48.01\nCUDA Version        : 13.1\n";

/**
 * Answers any `--query-gpu=` in the order asked, with a header unless `noheader` stands in the format; units are left
 * out, as `nounits` asks. Each reading adds a byte to `callsFile`: what a peer says of its own pace is not relied on.
 */
const sourceOf = (callsFile: string): string => `#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <time.h>
static const char *names[] = {${FIELDS.map(([field]) => JSON.stringify(field)).join(",")}};
static const char *values[] = {${FIELDS.map(([, value]) => JSON.stringify(value)).join(",")}};
int main(int argc, char **argv) {
  const char *query = 0;
  int header = 1;
  for (int i = 1; i < argc; i++) {
    if (!strncmp(argv[i], "--query-gpu=", 12)) query = argv[i] + 12;
    if (strstr(argv[i], "noheader")) header = 0;
    if (!strcmp(argv[i], "--version")) { fputs(${JSON.stringify(VERSION)}, stdout); return 0; }
    if (!strcmp(argv[i], "--help-query-gpu")) { fputs(${JSON.stringify(HELP)}, stdout); return 0; }
  }
  if (!query) return 2;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  unsigned long seed = now.tv_nsec / 100;
  static char out[1 << 16];
  size_t n = 0;
  /* The place of each asked field in the table, found once. */
  static int fields[256];
  int count = 0;
  for (const char *at = query; *at;) {
    size_t length = strcspn(at, ",");
    int f = sizeof names / sizeof *names;
    while (--f >= 0 && !(!strncmp(names[f], at, length) && !names[f][length]));
    if (f < 0 || count == 256) { printf("Field \\"%.*s\\" is not a valid field to query.\\n\\n", (int)length, at); return 2; }
    fields[count++] = f;
    at += length + (at[length] == ',');
  }
  for (int gpu = header ? -1 : 0; gpu < 8; gpu++) {
    for (int i = 0; i < count; i++) {
      if (i > 0) { out[n++] = ','; out[n++] = ' '; }
      for (const char *c = gpu < 0 ? names[fields[i]] : values[fields[i]]; *c;)
        if (gpu < 0) out[n++] = *c++;
        else if (*c == 'I' && !strncmp(c, "INDEX", 5)) { out[n++] = '0' + gpu; c += 5; }
        else if (*c == '#') { seed = seed * 6364136223846793005UL + 1442695040888963407UL; out[n++] = '0' + (seed >> 33) % 10; c++; }
        else out[n++] = *c++;
    }
    out[n++] = '\\n';
  }
  fwrite(out, 1, n, stdout);
  int calls = open(${JSON.stringify(callsFile)}, O_WRONLY | O_APPEND);
  if (calls < 0 || write(calls, ".", 1) != 1) return 3;
  return 0;
}
`;

export interface FakeGpus {
  /** A folder for the remote PATH. */
  readonly bin: string;
  readonly kind: "static C" | "sh";
  /** What a peer runs for one reading of all GPUs. */
  readonly command: string;
  /** How many readings were taken so far; null where they are not counted. */
  calls(): number | null;
}

const ASKED = FIELDS.slice(0, 16).map(([field]) => field);

export function makeFakeGpus(dir: string): FakeGpus {
  const bin = join(dir, "bin");
  mkdirSync(bin, { recursive: true });
  const command = `nvidia-smi --query-gpu=${ASKED.join(",")} --format=csv,nounits`;
  const program = join(bin, "nvidia-smi");
  const callsFile = join(dir, "calls");
  writeFileSync(callsFile, "");
  const compiled = compile(sourceOf(callsFile), dir, program);
  if (!compiled) writeFileSync(program, script());
  chmodSync(program, 0o755);
  return {
    bin,
    kind: compiled ? "static C" : "sh",
    command,
    calls: () => (compiled ? statSync(callsFile).size : null),
  };
}

/** False where there is no C compiler, or no static C library. */
export function compile(source: string, dir: string, program: string): boolean {
  const file = join(dir, "source.c");
  writeFileSync(file, source);
  try {
    execFileSync("cc", ["-O2", "-static", "-o", program, file], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** One printf a call, and so the same readings each time; whatever is asked, the fields of `ASKED` come, and any other query is refused. */
function script(): string {
  const rows = Array.from({ length: 8 }, (_, gpu) =>
    FIELDS.slice(0, 16)
      .map(([, value]) => value.replace("INDEX", String(gpu)).replaceAll("#", "7"))
      .join(", "),
  );
  const text = [ASKED.join(", "), ...rows].join("\\n");
  return [
    "#!/bin/sh",
    `case $1 in --query-gpu=${ASKED.join(",")}) printf '${text}\\n';;`,
    `--help-query-gpu) printf '${ASKED.map((field) => `"${field}"\\n\\n`).join("")}';;`,
    `*) echo 'Field "x" is not a valid field to query.'; exit 2;; esac`,
    "",
  ].join("\n");
}
