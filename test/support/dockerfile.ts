/** What a Dockerfile takes from its build context. */

/** The sources of its COPY instructions, less those from other stages. Each instruction is one line. */
export function copiedSources(text: string): readonly string[] {
  return [...text.matchAll(/^COPY (?!--from=)(.+)$/gm)].flatMap(([, parts = ""]) =>
    parts.split(" ").slice(0, -1),
  );
}
