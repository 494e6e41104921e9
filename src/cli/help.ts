/** The text of `--help`: the flags in groups, within the 80 columns of a terminal. */
import { FALLBACK_IDS } from "../shims/registry.js";
import { EXIT_CODES, FLAG_GROUPS, type Flag } from "./flags.js";
import { letterOf } from "./short-flags.js";

const WIDTH = 80;
const NO_BREAK = "\u00a0";
const FLAG_COLUMN = 32;
const CODE_COLUMN = 17;

const INTRO = `Usage: allsmi-ssh [user@]host[:port]... [flags]

Streams GPU, CPU and memory readings of many hosts over SSH: one record a host
at each reading. Nothing is installed on them. Logs in with keys and agent only,
as ssh -o BatchMode=yes.`;

const EXAMPLES = `Examples:
  allsmi-ssh admin@dgx-01 admin@dgx-02
  allsmi-ssh 'dgx-[01-16]' '^dgx-05' --once
  allsmi-ssh --ssh-hostfile hosts.txt --once --format ndjson | jq -r .hostname
  allsmi-ssh --ssh-hostfile hosts.txt --format csv --output gpus.csv
  allsmi-ssh --ssh-hostfile hosts.txt --once --fail-on 'gpu.temperature>85'
  allsmi-ssh --replay monday.ndjson --speed 10
  allsmi-ssh --demo`;

/** Ends with a newline. */
export function helpText(): string {
  const groups = FLAG_GROUPS.map(({ title, flags }) => `${title}:\n${flags.map(describe).join("\n")}`);
  const codes = EXIT_CODES.map(([code, meaning]) => hanging(`  ${code}`, meaning, CODE_COLUMN)).join("\n");
  const tools = `Tools for --ssh-fallback:\n${wrap(FALLBACK_IDS.join(", "), WIDTH - 2)
    .map((line) => `  ${line}`)
    .join("\n")}`;
  return [INTRO, ...groups, tools, `Exit codes:\n${codes}`, EXAMPLES].join("\n\n") + "\n";
}

/** `-n, --name PLACEHOLDER`, as in help and manual. */
export function flagSyntax({ name, takes }: Flag): string {
  const letter = letterOf(name);
  const both = letter === undefined ? `--${name}` : `-${letter}, --${name}`;
  return takes.kind === "value" ? `${both} ${takes.placeholder}` : both;
}

function describe(flag: Flag): string {
  const about = flag.initial === undefined ? flag.about : `${flag.about} Default:${NO_BREAK}${flag.initial}.`;
  return hanging(`  ${flagSyntax(flag)}`, about, FLAG_COLUMN);
}

/** A term, and its text from a column on. */
function hanging(term: string, text: string, column: number): string {
  return wrap(text, WIDTH - column)
    .map((line, index) => (index === 0 ? term : "").padEnd(column) + line)
    .join("\n");
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((wrapped) => wrapped.replaceAll(NO_BREAK, " "));
}
