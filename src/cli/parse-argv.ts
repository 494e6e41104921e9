/** argv to Options. All wrong values are reported at once, each in a line with its flag, before anything connects. */
import { factsFolder } from "../cache/facts-folder.js";
import { UsageError } from "../contract/errors.js";
import type { Options, OutputFormat, RunLength, Shard, Source, Verbosity } from "../contract/options.js";
import { SECTIONS, type Section } from "../contract/record.js";
import type { HostKeyPolicy, SshClientChoice, SshOptions } from "../contract/ssh-options.js";
import type { RereadTargets } from "../contract/runtime-deps.js";
import type { StepArea } from "../contract/step-log.js";
import { DEFAULT_TABLE, TABLE_SORTS, TABLE_VIEWS } from "../contract/table-options.js";
import { cleanText } from "../lib/text.js";
import { readFlags } from "./argv.js";
import { withDefaults } from "./defaults.js";
import { CONFLICTS, refuseConflicts, SOURCES } from "./flag-conflicts.js";
import { FlagReader, Problems } from "./flag-reader.js";
import { readListen } from "./listen-address.js";
import { readCheck, readConditions, readDrift, readHealth } from "./read-verdict.js";
import { readSelection } from "./read-selection.js";
import type { HostsGiven, ReadTextFile } from "./read-targets.js";
import { targetsReader } from "./reread-targets.js";
import { readToolPaths } from "./read-tool-paths.js";
import { STEP_VARIABLE, variableWarnings } from "./variables.js";

export type { ReadTextFile } from "./read-targets.js";

export type ParsedCommand =
  | {
      readonly kind: "run";
      readonly options: Options;
      readonly warnings: readonly string[];
      /** Null: no host comes from a file or an inventory. */
      readonly rereadTargets: RereadTargets | null;
    }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" };

const STEP_AREAS: readonly StepArea[] = ["ssh", "remote"];
const MAX_SECS = 86_400;
const MAX_SHARDS = 10_000;
const MIN_INTERVAL_SECS = 0.1;
const DEFAULT_INCLUDE: readonly Section[] = ["gpu", "cpu", "memory", "chassis"];
/** What health rules read besides. */
const HEALTH_INCLUDE: readonly Section[] = ["event"];
const FORMATS: readonly OutputFormat[] = [
  "ndjson",
  "csv",
  "table",
  "prometheus",
  "otlp-json",
  "all-smi-record",
];
const POLICIES: readonly HostKeyPolicy[] = ["yes", "accept-new", "no"];
const CLIENTS: readonly SshClientChoice[] = ["auto", "ssh2", "openssh"];

/**
 * `args` without the program's name; `env` for the step log and defaults. Help and the version win over all other flags. Throws
 * UsageError, with every problem that was found.
 */
export async function parseArgv(
  args: readonly string[],
  readTextFile: ReadTextFile,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<ParsedCommand> {
  const typed = await readFlags(args);
  if (typed.texts.has("help")) return { kind: "help", text: (await import("./help.js")).helpText() };
  if (typed.texts.has("version")) return { kind: "version" };
  const given = await withDefaults(typed, env, readTextFile, { conflicts: CONFLICTS, sources: SOURCES });
  const problems = new Problems();
  for (const problem of given.problems) problems.add(problem);

  const reader = new FlagReader(given, problems);
  refuseConflicts(given, problems);
  const { source, warnings, rereadTargets } = await readSource(reader, given.operands, readTextFile, env);
  const include = readInclude(reader);
  const health = await readHealth(reader, include);
  const { query, selection, format } = await readSelection(reader, FORMATS, include, (flag) =>
    typed.texts.has(flag),
  );
  const options: Options = {
    source,
    shard: readShard(reader),
    ssh: readSsh(reader),
    sample: {
      include: new Set([
        ...(include ?? DEFAULT_INCLUDE),
        ...(health?.eventsImplied === true ? HEALTH_INCLUDE : []),
      ]),
      fallback: await readFallback(reader),
      toolTimeoutSecs: reader.number("tool-timeout-secs", 10, { min: 1, max: 3600 }),
      redact: reader.has("redact"),
      holdDriver: reader.choice("hold-driver", ["auto", "never"], "auto"),
      toolPaths: await readToolPaths(reader, source),
      wakeGpus: reader.has("wake-gpus"),
      ...keptFacts(reader, source, env),
    },
    workers: reader.numberOrAuto("workers", { min: 0, max: 64 }),
    intervalMs: Math.round(reader.decimal("interval", 2, { min: MIN_INTERVAL_SECS, max: MAX_SECS }) * 1000),
    length: reader.has("check") && !reader.has("count") ? { kind: "once" } : readLength(reader),
    format,
    csvSections: include ?? (selection.rows === "device" && format === "ndjson" ? SECTIONS : ["gpu"]),
    query,
    selection,
    table: {
      view: reader.choice("view", TABLE_VIEWS, DEFAULT_TABLE.view),
      sort: reader.choice("sort", TABLE_SORTS, DEFAULT_TABLE.sort),
      groupBy: reader.text("group-by"),
    },
    output: reader.text("output"),
    listen: readListen(reader),
    color: reader.choice("color", ["auto", "always", "never"], "auto"),
    verbosity: readVerbosity(reader),
    logTime: reader.has("log-time"),
    stepAreas: readStepAreas(reader, env),
    failOn: await readConditions(reader, "fail-on"),
    failOnMissing: reader.has("fail-on-missing"),
    health,
    drift: readDrift(reader),
    check: await readCheck(reader),
    dryRun: reader.has("dry-run"),
    script: reader.has("script"),
  };
  if (problems.list.length > 0) throw new UsageError(problems.list);
  return { kind: "run", options, warnings: [...variableWarnings(env), ...warnings], rereadTargets };
}

/** Only of real hosts: a demo's are made up with each run. */
function keptFacts(
  reader: FlagReader,
  source: Source,
  env: Readonly<Record<string, string | undefined>>,
): Pick<Options["sample"], "factsFolder"> {
  const isOff = reader.has("no-cache");
  const folder = isOff || source.kind !== "targets" ? null : factsFolder(env);
  return folder === null ? {} : { factsFolder: folder };
}

async function readSource(
  reader: FlagReader,
  operands: readonly string[],
  readTextFile: ReadTextFile,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ source: Source; warnings: readonly string[]; rereadTargets: RereadTargets | null }> {
  const file = reader.text("replay");
  if (file !== null) {
    const speed = reader.texts("speed").at(-1) ?? "max";
    const source: Source =
      speed === "max"
        ? { kind: "replay", file, speed }
        : { kind: "replay", file, speed: reader.decimal("speed", 1, { min: 0.001, max: 1_000_000 }) };
    return { source, warnings: [], rereadTargets: null };
  }
  if (reader.has("demo")) return { source: { kind: "demo" }, warnings: [], rereadTargets: null };
  const given: HostsGiven = {
    operands,
    lists: reader.texts("ssh"),
    files: reader.texts("ssh-hostfile"),
    from: reader.nonEmpty("ssh-from"),
    selectors: reader.texts("select"),
    configFile: reader.text("ssh-config"),
  };
  const { read, reread } = targetsReader(given, readTextFile, env);
  const { targets, warnings } = await read(reader.problems);
  return { source: { kind: "targets", targets }, warnings, rereadTargets: reread };
}

function readSsh(reader: FlagReader): SshOptions {
  return {
    keyFiles: reader.nonEmpty("ssh-key"),
    configFile: reader.text("ssh-config"),
    knownHostsFile: reader.text("ssh-known-hosts"),
    hostKeyPolicy: reader.choice("ssh-strict-host-key", POLICIES, null),
    timeoutMs: reader.has("ssh-timeout-secs")
      ? Math.round(reader.decimal("ssh-timeout-secs", 10, { min: 0.1, max: 3600 }) * 1000)
      : null,
    client: reader.choice("ssh-client", CLIENTS, "auto"),
    concurrency: reader.number("ssh-concurrency", 32, { min: 1, max: 10_000 }),
  };
}

/** Null where it is not given or wrong. */
function readShard(reader: FlagReader): Shard | null {
  const text = reader.text("shard");
  if (text === null) return null;
  const [, index = "", count = ""] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (index !== "" && Number(index) < Number(count) && Number(count) <= MAX_SHARDS)
    return { index: Number(index), count: Number(count) };
  const last =
    index === count && Number(count) > 0 ? `; the last of ${count} is ${Number(count) - 1}/${count}` : "";
  reader.problems.add(
    `--shard: "${cleanText(text)}" is not I/N with I from 0 to N-1 and N up to ${MAX_SHARDS}${last}`,
  );
  return null;
}

function readLength(reader: FlagReader): RunLength {
  if (reader.has("once")) return { kind: "once" };
  if (!reader.has("count")) return { kind: "endless" };
  return { kind: "count", ticks: reader.number("count", 1, { min: 1, max: 1_000_000_000 }) };
}

function readVerbosity(reader: FlagReader): Verbosity {
  if (reader.has("quiet")) return "quiet";
  return reader.has("verbose") ? "verbose" : "normal";
}

/** Null when `--include` was not given. Each section once, in the order of the record contract. */
function readInclude(reader: FlagReader): readonly Section[] | null {
  if (!reader.has("include")) return null;
  const asked = new Set(reader.list("include").map((name) => reader.choose("include", name, SECTIONS)));
  return SECTIONS.filter((section) => asked.has(section));
}

/** Shim ids, each once, in the operator's order. */
async function readFallback(reader: FlagReader): Promise<readonly string[]> {
  const { FALLBACK_IDS, toolNamed } = await import("../shims/registry.js");
  if (!reader.has("ssh-fallback")) return FALLBACK_IDS;
  const names = reader.list("ssh-fallback");
  if (names.includes("none")) {
    if (names.length > 1)
      reader.problems.add("--ssh-fallback: none cannot be used with other tools; give only none");
    return [];
  }
  const ids = names.flatMap((name) => {
    const tool = toolNamed(name);
    if (tool !== undefined && FALLBACK_IDS.includes(tool.id)) return [tool.id];
    reader.problems.add(`--ssh-fallback: "${name}" is not one of ${[...FALLBACK_IDS, "none"].join(", ")}`);
    return [];
  });
  return [...new Set(ids)];
}

function readStepAreas(
  reader: FlagReader,
  env: Readonly<Record<string, string | undefined>>,
): ReadonlySet<StepArea> {
  const listed = env[STEP_VARIABLE] ?? "";
  const names = listed.split(",").map((name) => name.trim());
  const areas = new Set<StepArea>(reader.count("verbose") > 1 ? STEP_AREAS : []);
  for (const name of names.filter((each) => each !== "")) {
    const area = STEP_AREAS.find((known) => known === name);
    if (area !== undefined) areas.add(area);
    else reader.problems.add(`${STEP_VARIABLE}: "${cleanText(name)}" is not one of ${STEP_AREAS.join(", ")}`);
  }
  return areas;
}
