/** Which flags cannot be given together, and which need another one. */
import type { GivenFlags } from "./argv.js";
import type { Problems } from "./flag-reader.js";

/** Flags that give hosts. */
export const SOURCES = ["ssh", "ssh-hostfile", "ssh-from", "demo", "replay"];
/** Flags that cannot be given together. The message names the first one first. */
export const CONFLICTS: readonly (readonly [flag: string, others: readonly string[]])[] = [
  ["demo", ["ssh", "ssh-hostfile", "ssh-from", "select", "shard", "replay", "dry-run"]],
  ["replay", ["ssh", "ssh-hostfile", "ssh-from", "select", "shard", "once", "count", "interval", "dry-run"]],
  ["once", ["count", "listen"]],
  [
    "check",
    [
      "format",
      "query",
      "output",
      "listen",
      "fail-on",
      "fail-on-missing",
      "drift",
      "fail-on-drift",
      "dry-run",
    ],
  ],
  ["check", ["rows", "fields", "frames-only", "states-only", "where", "compact"]],
  ["check", ["view", "sort", "group-by"]],
  ["fields", ["query"]],
  ["frames-only", ["states-only"]],
  ["quiet", ["verbose"]],
];

/** Metrics are written when the run ends, after each tick into a file, or served. */
const ENDS_OR_GOES = ["once", "count", "replay", "output", "listen", "dry-run"];

/** Adds a problem for each flag that cannot be given beside another, or is missing one that it needs. */
export function refuseConflicts(
  { texts, operands, problems: mistyped }: GivenFlags,
  problems: Problems,
): void {
  for (const [flag, others] of CONFLICTS) {
    const clashing = texts.has(flag) ? others.filter((other) => texts.has(other)) : [];
    for (const other of clashing) problems.add(`--${flag}: cannot be used with --${other}; give one of them`);
  }
  // A mistyped flag may be the one with the hosts.
  if (!SOURCES.some((flag) => texts.has(flag)) && operands.length === 0 && mistyped.length === 0) {
    problems.add(
      "no hosts given; name them ([user@]host[:port]), or use --ssh-hostfile FILE, --demo or --replay FILE",
    );
  }
  for (const flag of ["demo", "replay"])
    if (operands.length > 0 && texts.has(flag)) problems.add(`--${flag}: takes no hosts; leave them out`);
  if (texts.has("speed") && !texts.has("replay")) problems.add("--speed: only with --replay FILE");
  if (texts.has("fail-on-missing") && !texts.has("fail-on"))
    problems.add("--fail-on-missing: only with --fail-on CONDITION");
  if (texts.get("format")?.at(-1) === "prometheus" && !ENDS_OR_GOES.some((flag) => texts.has(flag)))
    problems.add(
      "--format prometheus: prints one text when the run ends, and this run has no end; add --listen PORT, --output FILE.prom, --once or --count N",
    );
  const output = texts.get("output")?.at(-1) ?? "";
  if (texts.get("format")?.at(-1) === "all-smi-record" && /\.(?:zst|gz)$/i.test(output))
    problems.add(
      `--output ${output}: all-smi expects a file of this name to be compressed, and this output is not; give another name, or compress it: ... | zstd > ${output}`,
    );
  if (texts.has("script") && !texts.has("dry-run")) problems.add("--script: only with --dry-run");
  for (const flag of ["warn", "crit", "timeout"])
    if (texts.has(flag) && !texts.has("check")) problems.add(`--${flag}: only with --check`);
}
