/**
 * `--help` and `--version` beside a node that does nothing. The environment is bare: with NODE_EXTRA_CA_CERTS set, node
 * reads certificates at each start, and that alone would make any ratio of starts look near 1.
 */
import { startMetered } from "../measure/cpu-meter.js";
import { inTurn, Rounds } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

export const startUp: Scenario = {
  name: "start-up",
  about: "--help and --version beside `node -e 0`",
  takes: "1 minute",
  async run({ runs, quick, program }) {
    const node = process.execPath;
    const ways: readonly (readonly [string, readonly string[]])[] = [
      ["node", [node, "-e", "0"]],
      ["help", [node, program, "--help"]],
      ["version", [node, program, "--version"]],
    ];
    const cpu = new Rounds();
    const wall = new Rounds();
    for (let round = 0; round < (runs ?? (quick ? 5 : 25)); round++) {
      for (const [name, argv] of inTurn(ways, round)) {
        const running = startMetered(argv);
        running.stdout.resume();
        const ended = await running.ended;
        if (ended.code !== 0) throw new Error(`${name}: ${running.stderr()}`);
        cpu.add(name, ended.cpuUs / 1000);
        wall.add(name, ended.wallMs);
      }
    }
    return {
      figures: [
        {
          id: "start-up.help-over-node",
          what: "CPU, --help / node -e 0",
          unit: "x",
          values: cpu.ratios("help", "node"),
        },
        {
          id: "start-up.version-over-node",
          what: "CPU, --version / node -e 0",
          unit: "x",
          values: cpu.ratios("version", "node"),
        },
        {
          id: "start-up.help-wall",
          what: "wall, --help / node -e 0",
          unit: "x",
          values: wall.ratios("help", "node"),
        },
        {
          id: "start-up.version-wall",
          what: "wall, --version / node -e 0",
          unit: "x",
          values: wall.ratios("version", "node"),
        },
        { id: "start-up.node-ms", what: "CPU of node -e 0", unit: "ms", values: cpu.of("node") },
      ],
    };
  },
};
