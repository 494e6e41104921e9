import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { stagesOf, type CpuProfile } from "../../bench/measure/stages.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("stages");
after(() => temp.remove());

const built = join(temp.path, "live.js");
writeFileSync(
  built,
  "import x;\n// src/host/watch.ts\nwatch\nwatch\n// src/fleet/pipeline.ts\nflow\n// src/shims/kit/cells.ts\ncells\n",
);

interface Call {
  readonly name: string;
  readonly url?: string;
  readonly line?: number;
  /** Its own microseconds, in the order of the list. */
  readonly us: number;
  readonly calls?: readonly Call[];
}

function profileOf(call: Call): CpuProfile {
  const nodes: CpuProfile["nodes"][number][] = [];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  const add = ({ name, url = "", line = 0, us, calls = [] }: Call): number => {
    const id = nodes.length + 1;
    const children: number[] = [];
    nodes.push({ id, callFrame: { functionName: name, url, lineNumber: line }, children });
    samples.push(id);
    timeDeltas.push(us);
    for (const each of calls) children.push(add(each));
    return id;
  };
  add(call);
  return { nodes, samples, timeDeltas };
}

const ours = pathToFileURL(built).href;
const WHOLE = profileOf({
  name: "(root)",
  us: 0,
  calls: [
    { name: "before", url: ours, line: 2, us: 900 },
    { name: "(idle)", us: 500 },
    { name: "(program)", us: 7 },
    {
      name: "onread",
      url: "node:net",
      us: 5,
      calls: [
        { name: "parse", url: "file:///x/node_modules/ssh2/lib/protocol.js", us: 11 },
        {
          name: "next",
          url: ours,
          line: 3,
          us: 20,
          calls: [
            { name: "set", us: 2 },
            { name: "wasm-function[1]", url: "wasm://wasm/1", us: 1 },
          ],
        },
        { name: "flow", url: ours, line: 5, us: 2, calls: [{ name: "(garbage collector)", us: 40 }] },
        { name: "cell", url: ours, line: 7, us: 30 },
        { name: "start", url: ours, line: 0, us: 1 },
        { name: "writev", us: 13 },
      ],
    },
  ],
});

test("time goes to the stage whose function it was spent in, or that called what the language brings", () => {
  assert.deepEqual(Object.fromEntries(stagesOf(WHOLE, Infinity)), {
    "src/host": 923,
    "node's native code and the kernel": 7,
    "node's own JavaScript": 5,
    ssh2: 11,
    "src/fleet": 2,
    "garbage collection": 40,
    "src/shims": 30,
    main: 1,
    "writes, and what they wait for": 13,
  });
});

test("only the end of the profile counts where just that is asked for", () => {
  const last = 13 + 1 + 30 + 40 + 2 + 3 + 20 + 11 + 5 + 7 + 500;
  assert.equal(stagesOf(WHOLE, last).get("src/host"), 23);
  assert.equal(stagesOf(WHOLE, 44).get("src/shims"), 30);
  assert.equal(stagesOf(WHOLE, 44).get("garbage collection"), undefined);
});
