/**
 * NVIDIA Jetson's tegrastats. It prints a line per interval without end, of which the first is read. Source: NVIDIA's
 * Jetson Linux Developer Guide, "tegrastats Utility", and lines of TX2 to Thor. From JetPack 7 on each temperature is
 * followed by its average, `gpu@52.875C/52.5C`, as each power always was. The GPU uses the host's memory.
 */
import type { Gpu } from "../contract/record.js";
import { accelerator, freeOf } from "./kit/accelerator.js";
import {
  bytesCell,
  celsiusCell,
  megahertzCell,
  percentCell,
  presentTexts,
  textCell,
  wattsCell,
} from "./kit/cells.js";
import { deviceTool, stdoutOf } from "./kit/device-tool.js";

const LINE = "tegrastats.line";
const MODEL = "tegrastats.model";

// The reader ends after one line, so that the second gives tegrastats SIGPIPE. If that does not end it, the deadline does.
const ONE_LINE =
  "b {tool} --interval 200 2>&1 |" +
  ' { IFS= read -r q; printf "%s\\n" "$q"; case "$q" in *RAM*) true;; *) false;; esac; }';
// Texts of the device tree end with a zero byte.
const READ_MODEL =
  'if [ -r /proc/device-tree/model ]; then tr -d "\\000" < /proc/device-tree/model; else true; fi';

export const tegrastatsShim = deviceTool({
  id: "tegrastats",
  // Only a Jetson has it, where nvidia-smi never reports everything.
  maker: { vendor: "nvidia", pci: ["0x10de"], isAlways: true },
  executables: ["tegrastats"],
  // Only a shell can end it.
  probe: ({ mode }) =>
    mode === "plain"
      ? []
      : [
          { id: LINE, kind: "shell", command: ONE_LINE },
          { id: MODEL, kind: "shell", command: READ_MODEL },
        ],
  tick: () => [{ id: LINE, kind: "shell", command: ONE_LINE }],
  read: (outputs) => ({ gpus: gpuIn(stdoutOf(outputs, LINE), textCell(stdoutOf(outputs, MODEL))) }),
});

function gpuIn(stdout: string, model: string | null): readonly Gpu[] {
  const line = stdout.split(/[\r\n]+/).find((one) => /\bRAM \d/.test(one));
  if (line === undefined) return [];
  const ram = /\bRAM (\d+)\/(\d+)([kMG]B)\b/.exec(line);
  const used = bytesCell(`${ram?.[1] ?? ""}${ram?.[3] ?? ""}`, "MiB");
  const total = bytesCell(`${ram?.[2] ?? ""}${ram?.[3] ?? ""}`, "MiB");
  const gpu = engineIn(line, "GR3D(?:_FREQ)?");
  const memory = engineIn(line, "EMC(?:_FREQ)?");
  const rails = railsIn(line);
  const rail = [...rails.keys()].find((name) => /GPU/i.test(name));
  return [
    accelerator("GPU", {
      index: 0,
      name: model,
      utilization: percentCell(gpu.percent),
      frequency: megahertzCell(gpu.megahertz),
      memory_utilization: percentCell(memory.percent),
      clock_memory: megahertzCell(memory.megahertz),
      used_memory: used,
      total_memory: total,
      memory_free: freeOf(total, used),
      memory_source: "host",
      temperature: celsiusCell(/(?:^|\s)GPU@(-?[\d.]+C)(?=[\s/]|$)/i.exec(line)?.[1]),
      power_consumption: wattsCell(rails.get(rail ?? "")),
      detail: presentTexts({
        // Some rails feed more than the GPU; their names show it.
        power_rail: rail ?? null,
        module_power: rails.get("VDD_IN") ?? rails.get("POM_5V_IN") ?? rails.get("VIN") ?? null,
        ...prefixed("power_", rails),
        ...prefixed("temperature_", temperaturesIn(line)),
        ...prefixed("engine_", enginesIn(line)),
      }),
    }),
  ];
}

interface Engine {
  readonly percent: string | undefined;
  readonly megahertz: string | undefined;
}

/** `45%`, `45%/40%@1300` (with an average), `0%@114`, `63%@[621]`, `12%@[1300,1300]` (a clock per engine) or `@114`; a `%` is required except in the last. */
function engineIn(line: string, name: string): Engine {
  const match = new RegExp(
    `\\b${name} (?:(\\d+)%(?:/\\d+%)?)?(?:@(?:\\[(\\d+)(?:,\\d+)*\\]|(\\d+)(?=\\s)))?`,
  ).exec(line);
  return { percent: match?.[1], megahertz: match?.[2] ?? match?.[3] };
}

/** Rail -> its power now: `VDD_GPU 6854/6903` in mW, `VDD_IN 12479mW/12479mW`; the second number is the average. */
function railsIn(line: string): ReadonlyMap<string, string> {
  const rails = line.matchAll(/(?:^|\s)((?:VDD|VIN|POM|CV|GPU|SOC)_?[A-Z0-9_]*) (\d+)(?:mW)?\/\d/g);
  return new Map([...rails].map((match) => [match[1] ?? "", `${match[2] ?? ""}mW`]));
}

/** Sensor -> degrees C now: `cpu@44.218C/44.1C`, where the second number is the average. */
function temperaturesIn(line: string): ReadonlyMap<string, string> {
  const sensors = [...line.matchAll(/(?:^|\s)([A-Za-z][A-Za-z0-9_]*)@(-?[\d.]+)C(?=[\s/]|$)/g)];
  return new Map(
    sensors.flatMap(([, name = "", degrees = ""]) =>
      // The power chip of TX2 and earlier always reports 100.
      celsiusCell(degrees) === null || /^pmic$/i.test(name) ? [] : [[name, `${degrees} C`]],
    ),
  );
}

const ENGINE =
  /(?:^|\s)((?:NVENC|NVDEC|NVJPG|NVDLA|MSENC|VIC|OFA|APE|PVA|SE)\d*(?:_FREQ)?) (off|\d+%?(?:@\d+)?|@\d+)(?=\s|$)/g;

/** Engine -> its state as printed: `off`, its clock in MHz, or `12%@1300`. */
function enginesIn(line: string): ReadonlyMap<string, string> {
  return new Map([...line.matchAll(ENGINE)].map(([, name = "", state = ""]) => [name, state]));
}

// A Thor has about 10 rails, 15 sensors and 10 engines.
const MAX_ENTRIES = 64;

function prefixed(prefix: string, values: ReadonlyMap<string, string>): Record<string, string> {
  const some = [...values].slice(0, MAX_ENTRIES);
  return Object.fromEntries(some.map(([name, value]) => [`${prefix}${name}`, value]));
}
