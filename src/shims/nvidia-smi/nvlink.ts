/** `nvidia-smi nvlink -s` and `-e`: how many of a GPU's NVLinks are up, and their errors. Texts of V100 to B200. */
import type { Nvlink } from "../../contract/record.js";
import { integerCell } from "../kit/cells.js";

export const NVLINK_STATE_COMMAND = "{tool} nvlink -s";
export const NVLINK_ERRORS_COMMAND = "{tool} nvlink -e";

type Links = Omit<Nvlink, "ticks_ago">;

export interface GpuLinks {
  readonly index: number;
  readonly uuid: string | null;
  readonly links: Links;
}

/** The counters of `-e`, summed up over a GPU's links. Blackwell prints others, and these not. */
const COUNTERS = ["replay errors", "recovery errors", "crc errors"] as const;

/** The GPUs that have links at all, by both outputs. A board without NVLink has a line of its own and no links. */
export function readNvlink(state: string, errors: string): readonly GpuLinks[] {
  const counted = new Map(blocksIn(errors).map((block) => [block.index, block.lines]));
  return blocksIn(state).flatMap(({ index, uuid, lines }) => {
    // A link has one line here, `Link 3: 26.562 GB/s` or `Link 3: <inactive>`.
    const links = new Map(lines.map(({ link, text }) => [link, text]));
    if (links.size === 0) return [];
    return [{ index, uuid, links: { links: links.size, ...activeOf(links), ...sums(counted.get(index)) } }];
  });
}

function activeOf(links: ReadonlyMap<number, string>): Pick<Links, "active"> {
  const texts = [...links.values()];
  const isActive = texts.map((text) => {
    if (/^\d+(?:\.\d+)? GB\/s$/.test(text)) return true;
    return /^<?inactive>?$/i.test(text) ? false : null;
  });
  // A state that is not known may mean either.
  return { active: isActive.includes(null) ? null : isActive.filter(Boolean).length };
}

function sums(lines: readonly LinkLine[] = []): Omit<Links, "links" | "active"> {
  const sumOf = (name: string): number | null => {
    const counts = lines.flatMap(({ text }) => {
      const [, counter = "", value] = /^([A-Za-z ]{1,40}): *(\S{1,20})$/.exec(text) ?? [];
      return counter.toLowerCase() === name ? [integerCell(value)] : [];
    });
    if (counts.length === 0) return null;
    return counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);
  };
  const [replay, recovery, crc] = COUNTERS.map(sumOf);
  return { replay_errors: replay ?? null, recovery_errors: recovery ?? null, crc_errors: crc ?? null };
}

interface LinkLine {
  readonly link: number;
  readonly text: string;
}
interface Block {
  readonly index: number;
  readonly uuid: string | null;
  readonly lines: LinkLine[];
}

// More than any host has.
const MAX_GPUS = 1024;
const MAX_LINES = 4096;

function blocksIn(text: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const line of text.split(/[\r\n]+/)) {
    const gpu = /^GPU (\d{1,4}): (?:.*\(UUID: ([^()]*)\))?/.exec(line);
    if (gpu !== null && blocks.length === MAX_GPUS) break;
    if (gpu !== null) blocks.push({ index: Number(gpu[1]), uuid: gpu[2] ?? null, lines: [] });
    const link = /^\s+Link (\d{1,3}): (.{1,80})$/.exec(line);
    const lines = blocks.at(-1)?.lines;
    if (link !== null && lines !== undefined && lines.length < MAX_LINES)
      lines.push({ link: Number(link[1]), text: (link[2] ?? "").trim() });
  }
  return blocks;
}
