import { hlSmiShim } from "../../src/shims/hl-smi.js";
import { testParserProperties } from "../support/parser-properties.js";

testParserProperties({
  shim: hlSmiShim,
  part: "hl-smi.query",
  others: { "hl-smi.ids": "0, 0000:33:00.0, AN45051234\n1, 0000:34:00.0, AN45051235\n" },
  samples: ["|   1        3105  C      python3                                  14318MiB   |\n"],
  device: (index, value) =>
    [
      index,
      `01P4-HL3090A0-18-U4V193-22-07-0${String(index)}`,
      "HL-325L",
      "1.22.1-97ec1a4",
      value ?? "131072 MiB",
      value ?? "672 MiB",
      value ?? "130400 MiB",
      value ?? `22${String(index)} W`,
      value ?? "850 W",
      value ?? "36 C",
      value ?? "17 %",
    ].join(", "),
  assemble: (rows) => `${rows.join("\n")}\n`,
});
