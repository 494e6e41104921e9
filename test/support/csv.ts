/** An RFC 4180 reader of its own, to read back what the formatter writes. */

/** Rows of cells; `\n` line ends. Throws on a quote that is out of place. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      at += 1;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote === -1) throw new Error("a quoted cell is not closed");
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at += 1;
      }
    } else {
      while (at < text.length && text[at] !== "," && text[at] !== "\n") {
        if (text[at] === '"') throw new Error("a quote inside a cell that is not quoted");
        cell += text[at] ?? "";
        at += 1;
      }
    }
    row.push(cell);
    if (text[at] === "\n") {
      rows.push(row);
      row = [];
    } else if (text[at] !== ",") throw new Error(`no comma after a cell at ${at}`);
    at += 1;
  }
  return rows;
}
