/** The labels that CSV has columns for. The header comes first, so they are known before the records. */
import { EXPECT_LABEL } from "../contract/expectation.js";

/** By the first host that has each; those of `--expect` say nothing of where a host belongs, and have none. */
export function labelColumns(
  hosts: Iterable<{ readonly labels: Readonly<Record<string, string>> }>,
): readonly string[] {
  const names = new Set<string>();
  for (const { labels } of hosts)
    for (const name of Object.keys(labels)) if (!name.startsWith(EXPECT_LABEL)) names.add(name);
  return [...names];
}
