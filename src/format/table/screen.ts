/**
 * One picture of the fleet, as lines: the head, the table, the fleet in a line, drift, and in the space that is free what is
 * wrong. No line is wider than the screen, and there are not more of them than it has rows.
 */
import type { StreamRecord } from "../../contract/record.js";
import { DEFAULT_TABLE, type TableOptions } from "../../contract/table-options.js";
import { bodyOf, groupHosts, type Body, type GroupedHosts } from "./body.js";
import { ViewChoice, type ShownView } from "./choose-view.js";
import { countDetailLines, detailLines } from "./details.js";
import { TableFooter, type FooterOptions } from "./footer.js";
import { countGpuRows, type RowContext } from "./gpu-rows.js";
import { headLine } from "./head.js";
import { IdleGpus } from "./holders.js";
import { layOut, type LayoutMemory } from "./layout.js";
import type { Look } from "./look.js";
import { problemsOf, type Problem } from "./problems.js";
import { Roster, type Chosen, type NamedHost } from "./roster.js";
import { Scroll, type ScrollKey } from "./scroll.js";
import { sumOfSummaries } from "./summary.js";
import { fitText } from "./text-width.js";

export interface ScreenOptions extends FooterOptions {
  readonly table?: TableOptions;
  /** Null: the records are of a recording. */
  readonly intervalMs: number | null;
  /** What is shown of each record; null: all of it. */
  readonly chosen: Chosen | null;
  /** Whether keys scroll. */
  readonly takesKeys: boolean;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Of the screen's rows, for lines about drift. */
const DRIFT_SHARE = 0.25;
/** Of the screen's rows, kept free for what is wrong where something is. */
const DETAIL_SHARE = 0.25;
/** Above and below the details: the line end of the run's end must not push the head off the screen. */
const FREE_LINES = 2;
/** On a lower screen the table has all rows. */
const MIN_ROWS_FOR_HEAD = 8;
const MIN_ROWS_FOR_DETAILS = 16;

export class TableScreen {
  readonly #look: Look;
  readonly #options: ScreenOptions;
  readonly #table: TableOptions;
  readonly #roster: Roster;
  readonly #footer: TableFooter;
  readonly #view: ViewChoice;
  readonly #idle = new IdleGpus();
  readonly #scroll = new Scroll();
  /** Since the last picture. They are looked into there, where one that cannot be read is replaced. */
  readonly #fresh: StreamRecord[] = [];
  #layout: { readonly view: ShownView; readonly memory: LayoutMemory } | null = null;
  #note: string | null = null;
  #isDriftCut = false;

  constructor(options: ScreenOptions, look: Look) {
    this.#look = look;
    this.#options = options;
    this.#table = options.table ?? DEFAULT_TABLE;
    this.#roster = new Roster(this.#table.sort, options.chosen);
    this.#footer = new TableFooter(options, look);
    this.#view = new ViewChoice(this.#table.view);
  }

  get isEmpty(): boolean {
    return this.#roster.isEmpty;
  }

  absorb(records: readonly StreamRecord[]): void {
    for (const record of records) {
      this.#roster.put(record);
      this.#footer.take(record);
    }
    this.#fresh.push(...records);
  }

  /** In the place of a record that cannot be shown. */
  replace(record: StreamRecord): void {
    this.#roster.replace(record);
    this.#footer.take(record);
    const at = this.#fresh.findIndex((fresh) => fresh.host_id === record.host_id);
    if (at >= 0) this.#fresh[at] = record;
  }

  /** The last record of each host. */
  records(): readonly StreamRecord[] {
    return this.#roster.records();
  }

  /** A line below everything else, in the place of the last one. */
  note(line: string): void {
    this.#note = line;
  }

  /** Returns whether the picture is outdated. */
  press(key: ScrollKey): boolean {
    return this.#scroll.press(key);
  }

  /** The terminal has another size: columns and view are chosen anew. */
  forgetSize(): void {
    this.#layout = null;
    this.#view.forget();
  }

  /** Lines that had no space in the last picture, for the end of the run. */
  linesCut(): readonly string[] {
    return this.#isDriftCut ? this.#footer.driftLines() : [];
  }

  picture({ columns, rows }: Size): readonly string[] {
    for (const record of this.#fresh.splice(0)) this.#idle.take(record);
    // The last column stays free: clearing to the end of a full line takes its last character on some terminals.
    const width = Math.max(1, columns - 1);
    const { nowMs } = this.#roster;
    const context: RowContext = { look: this.#look, nowMs, idle: this.#idle, isScreen: true };
    const hosts = this.#roster.hosts();
    const hasDetails = rows >= MIN_ROWS_FOR_DETAILS;
    const problems = hasDetails ? problemsOf(hosts) : [];
    const head = rows < MIN_ROWS_FOR_HEAD ? [] : [this.#head(hosts, context, width)];
    const drift = this.#footer.driftWithin(width, Math.floor(rows * DRIFT_SHARE));
    this.#isDriftCut = drift.isCut;
    // The title and the line of the fleet.
    const others = 2 + head.length + drift.lines.length + (this.#note === null ? 0 : 1);
    const free = Math.max(0, rows - others);
    const reserved = this.#reserved(problems, width, rows);
    const { lines, title } = this.#body(hosts, context, width, Math.max(0, free - reserved), hasDetails);
    const all = [
      ...head,
      title,
      ...lines,
      this.#footer.fleetLine(width),
      ...drift.lines,
      ...this.#details(problems, width, free - lines.length),
      ...(this.#note === null ? [] : [this.#look.note(fitText(this.#note, width))]),
    ];
    return all.slice(-Math.max(1, rows));
  }

  #head(hosts: readonly NamedHost[], { nowMs }: RowContext, width: number): string {
    const fresh = hosts.filter(({ host }) => host.last.record === "frame");
    const summary = sumOfSummaries(fresh.map(({ host }) => host.summary(nowMs)));
    const { intervalMs } = this.#options;
    const shownHosts = hosts.length;
    const line = headLine({ nowMs, intervalMs, hosts: this.#roster.size, shownHosts, summary }, width);
    return fitText(line, width);
  }

  #body(
    hosts: readonly NamedHost[],
    context: RowContext,
    width: number,
    rows: number,
    hasDetails: boolean,
  ): { readonly title: string; readonly lines: readonly string[] } {
    let grouped: GroupedHosts | null = null;
    const groups = (): GroupedHosts => {
      const how = { sort: this.#table.sort, nowMs: context.nowMs };
      grouped ??= groupHosts(hosts, this.#table.groupBy, how, Math.max(1, rows - 1));
      return grouped;
    };
    const gpus = hosts.reduce((sum, named) => sum + countGpuRows(named, context.nowMs), 0);
    const counts = { gpus, hosts: hosts.length, groups: () => groups().groups.length };
    const view = this.#view.choose(counts, rows, context.nowMs);
    const body = bodyOf(view, hosts, groups, context);
    const isAll = body.count <= rows && body.hiddenSick === 0;
    const shown = isAll ? body.count : Math.min(body.count, Math.max(0, rows - 1));
    const first = this.#scroll.within(body.count, shown);
    const before = this.#layout?.view === view ? { before: this.#layout.memory } : {};
    const laidOut = layOut(body.rows(first, shown), width, this.#look, { ...before, hasDetails });
    this.#layout = { view, memory: laidOut.memory };
    const more = isAll ? [] : [this.#look.faint(fitText(this.#moreText(body, first, shown), width))];
    return { title: laidOut.title, lines: [...laidOut.lines, ...more] };
  }

  #moreText({ count, hiddenSick }: Body, first: number, shown: number): string {
    const sick = hiddenSick === 0 ? "" : `${hiddenSick} more sick hosts are in their groups: --view hosts`;
    if (count <= shown) return sick;
    const keys = this.#options.takesKeys ? "; arrows and page keys scroll" : "";
    const range = shown === 0 ? "none" : `${first + 1} to ${first + shown}`;
    return `rows ${range} of ${count}${keys}${sick === "" ? "" : `; ${sick}`}`;
  }

  #reserved(problems: readonly Problem[], width: number, rows: number): number {
    if (problems.length === 0) return 0;
    const most = Math.floor(rows * DETAIL_SHARE);
    return Math.min(most, FREE_LINES + countDetailLines(problems, width, most, this.#look));
  }

  /** With a free line above and below them. */
  #details(problems: readonly Problem[], width: number, rows: number): readonly string[] {
    const free = rows - FREE_LINES;
    const lines = problems.length === 0 || free < 1 ? [] : detailLines(problems, width, free, this.#look);
    return lines.length === 0 ? [] : ["", ...lines];
  }
}
