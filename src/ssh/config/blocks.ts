/** The lines of a file in blocks, laid out so that one host touches few of them. */
import type { Directive } from "./directive.js";

export type LoadedDirective =
  | Exclude<Directive, { kind: "include" }>
  | {
      readonly kind: "include";
      readonly files: readonly LoadedFile[];
      /** Files that could not be read; reported after the files before them. */
      readonly problems: readonly string[];
    }
  /** An Include whose paths have tokens or variables: the files depend on the host. */
  | {
      readonly kind: "include-expanded";
      readonly patterns: readonly string[];
      readonly load: (patterns: readonly string[]) => Promise<IncludedFiles>;
    };

export interface IncludedFiles {
  readonly files: readonly LoadedFile[];
  readonly problems: readonly string[];
}

export interface LoadedLine {
  readonly line: number;
  readonly directive: LoadedDirective;
}

/** The lines from one Host or Match (or the top of a file) to the next. */
export interface Block {
  readonly header: LoadedLine | null;
  readonly lines: readonly LoadedLine[];
  /** Has lines that count even where the header does not match: mistakes, Includes, and the keywords that ssh always applies. */
  readonly alwaysRead: boolean;
}

export interface LoadedFile {
  readonly path: string;
  /** IdentityFile lines of user files and of system files are kept apart. */
  readonly ofUser: boolean;
  readonly blocks: readonly Block[];
  /** Blocks that every host must check, in order. */
  readonly common: readonly number[];
  /** Blocks whose Host patterns are plain names, by name. */
  readonly byName: ReadonlyMap<string, readonly number[]>;
}

/** Levels of Include (READCONF_MAX_DEPTH). */
export const MAX_INCLUDE_DEPTH = 16;

/** Groups lines into blocks and indexes them. */
export function toBlocks(path: string, ofUser: boolean, lines: readonly LoadedLine[]): LoadedFile {
  const blocks: Block[] = [];
  let header: LoadedLine | null = null;
  let body: LoadedLine[] = [];
  const close = (): void => {
    if (header === null && body.length === 0) return;
    blocks.push({ header, lines: body, alwaysRead: body.some(({ directive }) => countsAnyway(directive)) });
  };
  for (const line of lines) {
    if (line.directive.kind === "host" || line.directive.kind === "match") {
      close();
      header = line;
      body = [];
    } else body.push(line);
  }
  close();
  return { path, ofUser, blocks, ...indexBlocks(blocks) };
}

function countsAnyway({ kind }: LoadedDirective): boolean {
  return (
    kind === "include" ||
    kind === "include-expanded" ||
    kind === "bad" ||
    kind === "unknown" ||
    kind === "set-anyway"
  );
}

function indexBlocks(blocks: readonly Block[]): Pick<LoadedFile, "common" | "byName"> {
  const common: number[] = [];
  const byName = new Map<string, number[]>();
  for (const [index, block] of blocks.entries()) {
    const names = plainNames(block);
    if (names === null) common.push(index);
    for (const name of names ?? []) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [index]);
      else known.push(index);
    }
  }
  return { common, byName };
}

/** The hosts a block is for; null when matching must decide, or when it must be read for every host. */
function plainNames({ header, alwaysRead }: Block): ReadonlySet<string> | null {
  if (alwaysRead || header?.directive.kind !== "host") return null;
  const { patterns } = header.directive;
  return patterns.some((pattern) => pattern === "" || /^!|[*?]/.test(pattern)) ? null : new Set(patterns);
}

/** The blocks that this host must check, in file order. */
export function blocksFor({ common, byName }: LoadedFile, host: string): readonly number[] {
  const own = byName.get(host);
  if (own === undefined) return common;
  return [...common, ...own].sort((a, b) => a - b);
}
