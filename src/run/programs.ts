/** Where the programs are that a run starts beside itself: built files, TypeScript (`npm run dev`), or one executable. */
import { pathToFileURL } from "node:url";
import type { Programs } from "../contract/runtime-deps.js";

/** What the build of the single-file executable puts in place of `import.meta.url`. */
export const EXECUTABLE_ENTRY = "executable:";
/** The name of the thread's code, a CommonJS module, among the assets of the executable. */
export const THREAD_ASSET = "thread.cjs";

/** `entry` is the `import.meta.url` of main.ts or index.ts. */
export function programsBeside(entry: string): Programs {
  // executable.ts is started anew as the resolver.
  if (entry === EXECUTABLE_ENTRY)
    return { thread: fromAsset(THREAD_ASSET), resolver: pathToFileURL(process.execPath) };
  if (!entry.endsWith(".ts")) {
    // Built, all programs are in one folder.
    return { thread: new URL("./thread.js", entry), resolver: new URL("./resolver.cjs", entry) };
  }
  return {
    thread: throughTsx(new URL("./sources/threads/thread.ts", entry)),
    // A fork has the loader by `process.execArgv`.
    resolver: new URL("./ssh/names/resolver.ts", entry),
  };
}

/** Whether this process is the resolver that an executable has started of itself: `resolver` is then its argument. */
export function isResolverProcess({
  argv,
  execPath,
  connected,
}: Pick<NodeJS.Process, "argv" | "execPath" | "connected">): boolean {
  return connected && argv[2] === execPath;
}

/** Code inside the executable, for a thread: node:sea gives it as text (Node.js, "Single executable applications"). */
function fromAsset(name: string): URL {
  const code = `
    import { createRequire } from "node:module";
    import { dirname } from "node:path";
    import { getAsset } from "node:sea";
    import { compileFunction } from "node:vm";
    const path = process.execPath;
    const module = compileFunction(getAsset("${name}", "utf8"), ["require", "__dirname"], { filename: "${name}" });
    module(createRequire(path), dirname(path));`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** A worker thread has it not: on Node.js 20 tsx skips all threads but the main one, so the program registers it. */
function throughTsx(program: URL): URL {
  const [api, file] = [import.meta.resolve("tsx/esm/api"), program.href].map((url) => JSON.stringify(url));
  const code = `import { register } from ${api}; register(); await import(${file});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
