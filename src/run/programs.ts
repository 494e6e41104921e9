/** Where the programs are that a run starts beside itself: built files, or TypeScript (`npm run dev`). */
import type { Programs } from "../contract/runtime-deps.js";

/** `entry` is the `import.meta.url` of main.ts or index.ts. */
export function programsBeside(entry: string): Programs {
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

/** A worker thread has it not: on Node.js 20 tsx skips all threads but the main one, so the program registers it. */
function throughTsx(program: URL): URL {
  const [api, file] = [import.meta.resolve("tsx/esm/api"), program.href].map((url) => JSON.stringify(url));
  const code = `import { register } from ${api}; register(); await import(${file});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
