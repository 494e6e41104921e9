/** A CPU profile of our program, as time by the stage of the pipeline that it was spent in. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What `node --cpu-prof` writes, as far as it is read. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** From 0. */
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Before each sample. */
  readonly timeDeltas: readonly number[];
}

const OF_V8 = new Map([
  ["(garbage collector)", "garbage collection"],
  ["(program)", "node's native code and the kernel"],
  ["(idle)", null],
  ["(root)", null],
]);

/** Node's own, of a pipe or a socket. A profile counts the time, so that a reader that is behind counts too. */
const WRITES = new Set(["writev", "writeBuffer", "writeUtf8String", "writeLatin1String", "writeAsciiString"]);

/** Microseconds by stage in the last `lastUs` of the profile, without what was idle. */
export function stagesOf(profile: CpuProfile, lastUs: number): ReadonlyMap<string, number> {
  const stages = stageOfNodes(profile);
  const spent = new Map<string, number>();
  let passed = 0;
  for (let at = profile.samples.length - 1; at >= 0 && passed < lastUs; at--) {
    const delta = profile.timeDeltas[at] ?? 0;
    const stage = stages.get(profile.samples[at] ?? -1) ?? null;
    passed += delta;
    if (stage !== null) spent.set(stage, (spent.get(stage) ?? 0) + delta);
  }
  return spent;
}

function stageOfNodes({ nodes }: CpuProfile): ReadonlyMap<number, string | null> {
  const stages = new Map<number, string | null>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const modules = new Map<string, ModuleLines>();
  const visit = (id: number, caller: string | null): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const stage = stageOf(node.callFrame, modules) ?? caller;
    stages.set(id, OF_V8.has(node.callFrame.functionName) ? stage : (stage ?? "node's own JavaScript"));
    for (const child of node.children ?? []) visit(child, stage);
  };
  const [root] = nodes;
  if (root !== undefined) visit(root.id, null);
  return stages;
}

/** Null: its caller's, as for what the language itself brings (`JSON.stringify`, a map). */
function stageOf(
  { functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"],
  modules: Map<string, ModuleLines>,
): string | null {
  if (OF_V8.has(functionName)) return OF_V8.get(functionName) ?? null;
  if (url === "" || url.startsWith("wasm:"))
    return WRITES.has(functionName) ? "writes, and what they wait for" : null;
  if (url.startsWith("node:")) return "node's own JavaScript";
  const library = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (library !== undefined) return library;
  let lines = modules.get(url);
  if (lines === undefined) modules.set(url, (lines = moduleLinesOf(url)));
  return lines.findLast(({ line }) => line <= lineNumber)?.stage ?? "main";
}

type ModuleLines = readonly { readonly line: number; readonly stage: string }[];

/** The build names each module, as `// src/host/watch.ts`, before its text. */
function moduleLinesOf(url: string): ModuleLines {
  const text = readFileSync(url.startsWith("file:") ? fileURLToPath(url) : url, "utf8");
  return text.split("\n").flatMap((words, line) => {
    const module = /^\s*\/\/ src\/(.+)\.ts$/.exec(words)?.[1];
    if (module === undefined) return [];
    const [folder = "", file] = module.split("/");
    return [{ line, stage: file === undefined ? "the pipeline itself" : `src/${folder}` }];
  });
}
