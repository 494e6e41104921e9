/** Output of a shell part that runs several commands, each after a line `@name`. */

/** The lines after each `@name`, and under "" those before the first. Lines with other names are data. */
export function markedLines<Name extends string>(
  lines: readonly string[],
  names: readonly Name[],
): ReadonlyMap<Name | "", readonly string[]> {
  const blocks = new Map<Name | "", string[]>();
  let block: string[] = [];
  blocks.set("", block);
  for (const line of lines) {
    const name = line.startsWith("@") ? names.find((known) => line.slice(1) === known) : undefined;
    if (name === undefined) {
      if (line !== "") block.push(line);
    } else {
      block = blocks.get(name) ?? [];
      blocks.set(name, block);
    }
  }
  return blocks;
}
