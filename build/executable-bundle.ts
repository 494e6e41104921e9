/** The two scripts in the single-file executable: everything that dist/ and node_modules/ have, in one text each. */
import { readFileSync } from "node:fs";
import { build, type Metafile, type Plugin } from "esbuild";
import { helpText } from "../src/cli/help.js";
import { EXECUTABLE_ENTRY } from "../src/run/programs.js";

/**
 * Native addons that ssh2 can do without. An executable cannot load one from inside itself, so these fail as they do where
 * they were never built. Node.js prints a warning for each `require` of a file, so there is none.
 */
const WITHOUT_ADDONS: Plugin = {
  name: "without-addons",
  setup(addons) {
    addons.onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: "addon" }));
    addons.onLoad({ filter: /.*/, namespace: "addon" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the executable`)});`,
    }));
  },
};

export interface Bundle {
  readonly text: string;
  /** What it is made of, and which modules it asks Node.js for. */
  readonly metafile: Metafile;
}

/** `entry` is a path in the project's root folder, `root`. */
export async function bundle(root: string, entry: string): Promise<Bundle> {
  const { name, version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as {
    readonly name: string;
    readonly version: string;
  };
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node20.19",
    format: "cjs",
    // Names stay, for the stacks in reports of bugs.
    minifyWhitespace: true,
    minifySyntax: true,
    // With its code cache the executable has no import(), not even of Node.js's own modules.
    supported: { "dynamic-import": false },
    plugins: [WITHOUT_ADDONS],
    logLevel: "warning",
    // import.meta.resolve finds tsx, for `npm run dev` alone.
    logOverride: { "empty-import-meta": "silent" },
    define: {
      "import.meta.url": JSON.stringify(EXECUTABLE_ENTRY),
      HELP_TEXT: JSON.stringify(helpText()),
      VERSION_TEXT: JSON.stringify(`${name} ${version}\n`),
    },
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${entry}: nothing was built`);
  return { text: file.text, metafile };
}
