/** Preloaded by `--import`: ssh2 finds its native addon missing, as where install scripts are not run. */
import Module from "node:module";

const extensions: unknown = Reflect.get(Module, "_extensions");
if (typeof extensions !== "object" || extensions === null)
  throw new Error("this Node loads addons another way");
const load: unknown = Reflect.get(extensions, ".node");
if (typeof load !== "function") throw new Error("this Node loads addons another way");
Reflect.set(extensions, ".node", (...args: readonly unknown[]) => {
  if (String(args[1]).endsWith("sshcrypto.node")) throw new Error("left out for the measurement");
  return Reflect.apply(load, extensions, args) as unknown;
});
