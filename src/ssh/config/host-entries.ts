/** The names that the configuration has `Host` entries for, in every file it includes. */
import type { LoadedFile } from "./blocks.js";
import type { LoadedConfig } from "./load.js";

/** Plain names, without those in patterns and negations, each once, in the order of the files. */
export function hostEntries({ files }: LoadedConfig): readonly string[] {
  const names = new Set<string>();
  const seen = new Set<LoadedFile>();
  const open = [...files].reverse();
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const included: LoadedFile[] = [];
    for (const { header, lines } of file.blocks) {
      if (header?.directive.kind === "host")
        for (const pattern of header.directive.patterns)
          if (pattern !== "" && !/[!*?]/.test(pattern)) names.add(pattern);
      for (const { directive } of lines) if (directive.kind === "include") included.push(...directive.files);
    }
    open.push(...included.reverse());
  }
  return [...names];
}
