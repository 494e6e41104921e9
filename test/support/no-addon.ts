/** Hides ssh2's native addons, as on the machines where they were never built. For `--import`. */
import Module from "node:module";

const load: unknown = Reflect.get(Module, "_load");
Reflect.set(Module, "_load", (...args: unknown[]): unknown => {
  if (/sshcrypto\.node$|^cpu-features$/.test(String(args[0]))) throw new Error("no native addon in this run");
  if (typeof load !== "function") throw new Error("this Node loads modules in another way");
  const loaded: unknown = Reflect.apply(load, Module, args);
  return loaded;
});
