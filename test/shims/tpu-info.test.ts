import { tpuInfoShim } from "../../src/shims/tpu-info.js";
import { testParserProperties } from "../support/parser-properties.js";

testParserProperties({
  shim: tpuInfoShim,
  part: "tpu-info.tables",
  device: (index, value) =>
    `│ ${String(index)}      │ ${value ?? `1${String(index)}.45 GiB`} / ${value ?? "31.25 GiB"}    │ ${value ?? "97.5%"} │`,
  assemble: (rows) =>
    [
      "TPU Runtime Utilization",
      "┏━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┓",
      "┃ Chip   ┃ HBM usage                ┃ Duty cycle ┃",
      "┡━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━╕━━━━━━━━━━━━┩",
      ...rows,
      "└────────┴──────────────────────────┴────────────┘",
    ].join("\n"),
  samples: [
    "TPU Chips\n┏━━━━┳━━━━┳━━━━┳━━━━┓\n┃ Chip ┃ Type ┃ Devices ┃ PID ┃\n┡━━━╇━━━━╇━━━━╇━━━┩\n│ /dev/accel0 │ TPU v4 │ 1 │ 13 │\n└───┴───┴───┴───┘\n",
  ],
});
