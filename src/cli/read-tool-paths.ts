/** `--tool NAME=PATH`, and whether the hostfile's labels `tool.NAME` name tools. */
import type { Source } from "../contract/options.js";
import { TOOL_LABEL, toolPathProblem, type ToolPaths } from "../contract/tool-path.js";
import { cleanText } from "../lib/text.js";
import type { FlagReader } from "./flag-reader.js";

/** The paths by tool id. Labels' paths are checked where the hostfile is read; here only their names. */
export async function readToolPaths(reader: FlagReader, source: Source): Promise<ToolPaths> {
  const labelled = source.kind === "targets" ? source.targets : [];
  const isLabelled = labelled.some(({ labels }) => Object.keys(labels).some(isToolLabel));
  if (!reader.has("tool") && !isLabelled) return {};
  const { TOOLS, toolNamed } = await import("../shims/registry.js");
  const programs = TOOLS.filter(({ id }) => id !== "sysfs");
  const idOf = (name: string): string | undefined => programs.find((tool) => tool === toolNamed(name))?.id;
  const known = programs.map(({ id }) => id).join(", ");

  const paths = new Map<string, string>();
  for (const text of reader.texts("tool")) {
    const at = text.indexOf("=");
    const [name, path] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    const id = idOf(name);
    const problem =
      id === undefined ? `"${cleanText(name)}" is not one of ${known}, with =PATH` : toolPathProblem(path);
    if (problem !== null) reader.problems.add(`--tool: ${problem}`);
    else if (id !== undefined && paths.has(id))
      reader.problems.add(`--tool: ${id} is given twice; give it once`);
    else if (id !== undefined) paths.set(id, path);
  }
  for (const { labels, origin } of labelled) {
    const ids = new Set<string>();
    for (const label of Object.keys(labels).filter(isToolLabel)) {
      const id = idOf(label.slice(TOOL_LABEL.length));
      if (id === undefined)
        reader.problems.add(`${origin}: the label ${label} names no tool; known are ${known}`);
      else if (ids.has(id))
        reader.problems.add(`${origin}: the label ${label} is a second path of ${id}; give one`);
      else ids.add(id);
    }
  }
  return Object.fromEntries(paths);
}

function isToolLabel(label: string): boolean {
  return label.startsWith(TOOL_LABEL);
}
