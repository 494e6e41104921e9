/** What a terminal shows after being written to, for single-width text and the few sequences that we send. */
export class ScreenModel {
  /** Lines that went off the top. */
  readonly scrolled: string[] = [];
  #cells: string[][];
  #row = 0;
  #column = 0;

  constructor(
    private columns: number,
    private rows: number,
  ) {
    this.#cells = Array.from({ length: rows }, () => []);
  }

  lines(): string[] {
    return this.#cells.map((cells) =>
      Array.from(cells, (cell: string | undefined) => cell ?? " ")
        .join("")
        .trimEnd(),
    );
  }

  /** Cuts or adds at the bottom, as a terminal that does not wrap anew. */
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#cells = Array.from({ length: rows }, (_, i) => (this.#cells[i] ?? []).slice(0, columns));
    this.#row = Math.min(this.#row, rows - 1);
    this.#column = Math.min(this.#column, columns - 1);
  }

  /** Throws on a sequence that is not known here. */
  write(text: string): void {
    for (const [token] of text.matchAll(/\u001b\[[\d;?]*[A-Za-z]|[^]/gu)) {
      if (token === "\u001b[H") [this.#row, this.#column] = [0, 0];
      else if (token === "\u001b[K") this.#line().length = Math.min(this.#line().length, this.#column);
      else if (token === "\u001b[J") {
        this.#line().length = Math.min(this.#line().length, this.#column);
        for (let row = this.#row + 1; row < this.rows; row++) this.#cells[row] = [];
      } else if (token === "\r") this.#column = 0;
      else if (token === "\n") {
        // The terminal driver's onlcr.
        this.#column = 0;
        this.#down();
      } else if (/^\u001b\[\d*m$/.test(token)) continue;
      else if (/[\u0000-\u001f]/.test(token)) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
      else this.#put(token);
    }
  }

  #put(character: string): void {
    if (this.#column >= this.columns) {
      this.#column = 0;
      this.#down();
    }
    this.#line()[this.#column] = character;
    this.#column += 1;
  }

  #down(): void {
    this.#row += 1;
    if (this.#row < this.rows) return;
    this.scrolled.push(this.lines()[0] ?? "");
    this.#cells.shift();
    this.#cells.push([]);
    this.#row = this.rows - 1;
  }

  #line(): string[] {
    const line = this.#cells[this.#row] ?? [];
    this.#cells[this.#row] = line;
    return line;
  }
}
