/** Text for a terminal: lines that end between words. */

/**
 * Wraps a message of one line at `columns`, of which `used` are taken on its first line. Lines below it are left as they
 * are: a command in two lines could not be copied. A word that is longer than a line stays whole.
 */
export function wrapMessage(text: string, columns: number, used: number): string {
  const [message = "", ...below] = text.split("\n");
  const lines: string[] = [];
  let line = "";
  let free = columns - used;
  for (const word of message.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > free) {
      lines.push(line);
      line = word;
      free = columns;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line, ...below].join("\n");
}
