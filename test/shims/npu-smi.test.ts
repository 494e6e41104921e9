import { npuSmiShim } from "../../src/shims/npu-smi.js";
import { testParserProperties } from "../support/parser-properties.js";

const BORDER = "+===========================+===============+======================+";

testParserProperties({
  shim: npuSmiShim,
  part: "npu-smi.info",
  device: (index, value) => {
    const of = (reading: string): string => (value === undefined ? reading : value.replace(/^$/, " "));
    return [
      `| ${String(index)}     910B3               | OK            | ${of(`10${String(index)}.8`)}       ${of("43")}    0    / 0   |`,
      `| 0                         | 0000:C${String(index)}:00.0  | ${of("12")}    0    / 0    ${of("3318")} / ${of("65536")}  |`,
    ].join("\n");
  },
  assemble: (chips) =>
    [
      "| npu-smi 24.1.rc1.b030            Version: 24.1.rc1.b030         |",
      "| NPU   Name                | Health        | Power(W)    Temp(C)  |",
      "| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB) |",
      BORDER,
      chips.join(`\n${BORDER}\n`),
      BORDER,
    ].join("\n"),
  samples: ["| 0       0                 | 1333928       | python   | 49968      |\n"],
});
