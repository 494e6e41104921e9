/**
 * Draws docs/table.svg: the real table of docs/fleet.ndjson, a tick of the demo fleet, on a terminal of 100 by 30.
 * UPDATE_GOLDEN=1 writes the file; a test compares what stands there with what would be drawn.
 */
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgv } from "../src/cli/parse-argv.js";
import { realClock } from "../src/lib/clock.js";
import { run } from "../src/run/run.js";

const FLEET = fileURLToPath(new URL("fleet.ndjson", import.meta.url));
const SIZE = { columns: 100, rows: 30 };
/** When the tick was recorded, for ages and times in the picture. */
const NOW_MS = Date.UTC(2026, 10, 28, 18, 30);
const CELL = { width: 8.4, height: 18, fontSize: 14 };
const MARGIN = 14;
const COLOURS: Readonly<Record<number, string>> = {
  ...{
    30: "#484f58",
    31: "#ff7b72",
    32: "#7ee787",
    33: "#e3b341",
    34: "#79c0ff",
    35: "#d2a8ff",
    36: "#56d4dd",
  },
  ...{
    37: "#c9d1d9",
    90: "#8b949e",
    91: "#ffa198",
    92: "#a5f0b0",
    93: "#f2cc60",
    94: "#a5d6ff",
    97: "#ffffff",
  },
};
const PLAIN = "#c9d1d9";

interface Style {
  readonly colour: string;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isInverse: boolean;
}

interface Cell extends Style {
  readonly text: string;
}

const DEFAULT: Style = { colour: PLAIN, isBold: false, isDim: false, isInverse: false };

/** The SVG's text. */
export async function drawTable(): Promise<string> {
  const rows = screenOf(await tableOutput());
  const used = rows.slice(
    0,
    rows.findLastIndex((cells) => cells.some((cell) => cell?.text.trim() !== "")) + 1,
  );
  const width = Math.round(SIZE.columns * CELL.width + 2 * MARGIN);
  const height = used.length * CELL.height + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${CELL.fontSize}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...used.flatMap((cells, row) => runsOf(cells).map((each) => textOf(each, row))),
    "</svg>\n",
  ].join("\n");
}

/** What the program writes to the terminal. */
async function tableOutput(): Promise<string> {
  let written = "";
  const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
    written += chunk.toString();
    done();
  };
  const stdout = Object.assign(new Writable({ write }), { isTTY: true, ...SIZE });
  const env = { TERM: "xterm-256color", LC_ALL: "C.UTF-8" };
  const args = ["--replay", FLEET, "--format", "table", "--color", "always"];
  const command = await parseArgv(args, () => Promise.reject(new Error("reads no file")), env);
  if (command.kind !== "run") throw new Error("the flags ask for a run");
  const program = new URL("none", import.meta.url);
  const deps = {
    ...{ stdin: Readable.from([]), stdout, env, random: Math.random, logTerminal: null },
    clock: { ...realClock, wallMs: () => NOW_MS },
    programs: { thread: program, resolver: program },
    logLine: () => undefined,
    onHangUp: () => Promise.resolve(),
    rereadTargets: null,
  };
  await run(command.options, [], deps, new AbortController().signal);
  return written;
}

/** The cells of the screen after the output: cursor home, clearing and colours (ECMA-48); other sequences show nothing. */
function screenOf(output: string): readonly (readonly (Cell | undefined)[])[] {
  const rows: (Cell | undefined)[][] = Array.from({ length: SIZE.rows }, () => []);
  let style = DEFAULT;
  let [row, column] = [0, 0];
  for (const [token] of output.matchAll(/\u001b\[[\d;?]*[A-Za-z]|\u001b.|[^]/gu)) {
    const sequence = /^\u001b\[([\d;]*)([A-Za-z])$/.exec(token);
    if (sequence !== null) {
      const [, numbers = "", kind] = sequence;
      const [first = 1, second = 1] = numbers.split(";").map((text) => (text === "" ? 1 : Number(text)));
      if (kind === "H") [row, column] = [first - 1, second - 1];
      else if (kind === "K") rows[row]?.splice(column);
      else if (kind === "J") {
        rows[row]?.splice(column);
        for (const below of rows.slice(row + 1)) below.length = 0;
      } else if (kind === "m") style = styled(style, numbers.split(";").map(Number));
    } else if (token === "\r") column = 0;
    else if (token === "\n") {
      if (row === SIZE.rows - 1) rows.push(...rows.splice(0, 1).map(() => []));
      else row += 1;
    } else if (!token.startsWith("\u001b")) {
      const line = rows[row];
      if (line !== undefined) line[column] = { ...style, text: token };
      column += 1;
    }
  }
  return rows;
}

function styled(style: Style, codes: readonly number[]): Style {
  return codes.reduce((now, code) => {
    if (code === 0) return DEFAULT;
    if (code === 1) return { ...now, isBold: true };
    if (code === 2) return { ...now, isDim: true };
    if (code === 7) return { ...now, isInverse: true };
    if (code === 22) return { ...now, isBold: false, isDim: false };
    if (code === 27) return { ...now, isInverse: false };
    if (code === 39) return { ...now, colour: PLAIN };
    const colour = COLOURS[code];
    return colour === undefined ? now : { ...now, colour };
  }, style);
}

interface Run extends Style {
  readonly from: number;
  text: string;
}

/** Cells of one style beside each other, without blanks at the ends. */
function runsOf(cells: readonly (Cell | undefined)[]): readonly Run[] {
  const runs: Run[] = [];
  for (const [column, cell] of cells.entries()) {
    const { text, ...style } = cell ?? { ...DEFAULT, text: " " };
    const last = runs.at(-1);
    const isSame = last !== undefined && JSON.stringify(styleOf(last)) === JSON.stringify(style);
    if (isSame) last.text += text;
    else runs.push({ ...style, from: column, text });
  }
  return runs.filter(({ text, isInverse }) => isInverse || text.trim() !== "");
}

function styleOf({ colour, isBold, isDim, isInverse }: Style): Style {
  return { colour, isBold, isDim, isInverse };
}

function textOf({ from, text, colour, isBold, isDim, isInverse }: Run, row: number): string {
  const shown = text.trimEnd();
  const lead = shown.length - shown.trimStart().length;
  const x = round(MARGIN + (from + lead) * CELL.width);
  const y = MARGIN + row * CELL.height;
  const length = round((shown.length - lead) * CELL.width);
  const bar = isInverse
    ? `<rect x="${round(MARGIN + from * CELL.width)}" y="${y}" width="${round(text.length * CELL.width)}" height="${CELL.height}" fill="${colour}"/>`
    : "";
  if (length === 0) return bar;
  const looks = `${isBold ? ' font-weight="bold"' : ""}${isDim ? ' opacity="0.6"' : ""}`;
  const fill = isInverse ? "#0d1117" : colour;
  const place = `x="${x}" y="${y + CELL.fontSize - 1}" textLength="${length}"`;
  return `${bar}<text ${place} fill="${fill}"${looks} xml:space="preserve">${escaped(shown.trimStart())}</text>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
