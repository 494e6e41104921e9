/** Which runtime the program needs. Its syntax is old enough for old versions and other runtimes to print the message. */

const NEEDED: readonly [major: number, minor: number] = [20, 19];

/** `process.versions` and `globalThis`, as far as the runtime has them. */
export interface RuntimeFacts {
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly globals: object;
}

/** Null where the program runs; else one line with what it needs. Bun and Deno also report a version of Node. */
export function runtimeProblem({ versions, globals }: RuntimeFacts): string | null {
  const { bun, deno, node = "0" } = versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (bun !== undefined || "Bun" in globals) return problem("Bun", bun);
  if (deno !== undefined || "Deno" in globals) return problem("Deno", deno);
  const [neededMajor, neededMinor] = NEEDED;
  const isEnough = major > neededMajor || (major === neededMajor && minor >= neededMinor);
  return isEnough ? null : problem("Node.js", node);
}

function problem(name: string, version: string | undefined): string {
  const which = version === undefined ? name : `${name} ${version}`;
  return `allsmi-ssh needs Node.js ${NEEDED.join(".")} or newer; this is ${which}`;
}
