/** One JSON object a line, written beside earlier ones: JSON.stringify leaves three times the line behind as garbage. */
import type { StreamRecord } from "../contract/record.js";
import { NEWLINE } from "../lib/bytes.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { harmlessJson, JsonBytes } from "./json-bytes.js";
import { JsonPatterns } from "./json-patterns.js";
import { writeSound } from "./unwritable.js";

export function createNdjsonFormatter({
  isOnce,
  unwritable,
}: Pick<FormatterOptions, "isOnce" | "unwritable">): Formatter {
  if (isOnce) {
    const lines = (records: readonly StreamRecord[]): string => records.map(lineOf).join("");
    return { format: (records) => writeSound(records, lines, unwritable) };
  }
  const bytes = new JsonBytes();
  const patterns = new JsonPatterns(bytes);
  const writeOne = (record: StreamRecord): void => {
    const begin = bytes.at;
    if (!patterns.write(record)) {
      bytes.at = begin;
      bytes.putJson(harmlessJson(record) ?? "null");
    }
    bytes.put(NEWLINE);
  };
  const write = (records: readonly StreamRecord[]): void => {
    for (const record of records) {
      const begin = bytes.at;
      try {
        writeOne(record);
      } catch (error) {
        // Half a line, and what the batch has before it, would go out with the next one.
        bytes.at = unwritable === undefined ? 0 : begin;
        if (unwritable === undefined) throw error;
        writeOne(unwritable(record, error));
      }
    }
  };
  return {
    format(records) {
      write(records);
      return bytes.takeText();
    },
    bytes(records) {
      write(records);
      return bytes.take();
    },
  };
}

function lineOf(record: StreamRecord): string {
  return `${harmlessJson(record) ?? "null"}\n`;
}
