import { ttSmiShim } from "../../src/shims/tt-smi.js";
import { testParserProperties } from "../support/parser-properties.js";

testParserProperties({
  shim: ttSmiShim,
  part: "tt-smi.snapshot",
  positional: true,
  device: (index, value) =>
    JSON.stringify(
      {
        board_info: {
          bus_id: `0000:0${String(index)}:00.0`,
          board_type: "n150 L",
          board_id: `10001861190201${String(index)}`,
          pcie_speed: value ?? 4,
          pcie_width: value ?? "16",
        },
        telemetry: {
          power: value ?? ` 1${String(index)}.0`,
          aiclk: value ?? " 500",
          asic_temperature: value ?? "54.3",
        },
        limits: { tdp_limit: value ?? "100" },
      },
      null,
      4,
    ),
  assemble: (devices) =>
    `{\n"host_info": {\n"Driver": "TT-KMD 1.33"\n},\n"device_info": [\n${devices.join(",\n")}\n]\n}\n`,
});
