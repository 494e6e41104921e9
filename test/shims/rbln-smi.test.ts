import { rblnSmiShim } from "../../src/shims/rbln-smi.js";
import { testParserProperties } from "../support/parser-properties.js";

testParserProperties({
  shim: rblnSmiShim,
  part: "rbln-smi.status",
  device: (index, value) =>
    JSON.stringify(
      {
        npu: index,
        name: "RBLN-CA22",
        uuid: `d86d3e84-f99d-000${String(index)}`,
        pci: { bus_id: `0000:8${String(index)}:00.0` },
        temperature: value ?? "31C",
        card_power: value ?? `1752180${String(index)}uW`,
        memory: { used: value ?? "2415919104", total: value ?? "16877879296" },
        util: value ?? "98.7",
        pstate: value ?? "P14",
      },
      null,
      4,
    ),
  assemble: (devices) =>
    `{\n"KMD_version": "3.0.0",\n"devices": [\n${devices.join(",\n")}\n],\n"contexts": []\n}\n`,
  samples: [
    '{"KMD_version": "3.0.0", "devices": [], "contexts": [{"npu": "0", "pid": 12, "memory": "512"}]}',
    "+-----+-----------+------+\n| NPU |    Name   | Temp |\n+-----+-----------+------+\n| 0   | RBLN-CA12 |  38C |\n",
  ],
});
