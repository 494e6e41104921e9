/** `npm run dev`: start.ts from source, by tsx and without a build. Globals stand in for the texts that the build defines. */
import { readFileSync } from "node:fs";
import { helpText } from "../src/cli/help.js";

const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
const { name, version } = JSON.parse(manifest) as { readonly name: string; readonly version: string };
Object.assign(globalThis, { VERSION_TEXT: `${name} ${version}\n`, HELP_TEXT: helpText() });
await import("../src/start.js");
