/** One JSON object a line, written beside earlier ones: JSON.stringify leaves three times the line behind as garbage. */
import { NEWLINE } from "../lib/bytes.js";
import type { StreamRecord } from "../record.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { harmlessJson, JsonBytes } from "./json-bytes.js";
import { JsonPatterns } from "./json-patterns.js";

export function createNdjsonFormatter({ isOnce }: Pick<FormatterOptions, "isOnce">): Formatter {
  if (isOnce) return { format: (records) => records.map(lineOf).join("") };
  const bytes = new JsonBytes();
  const patterns = new JsonPatterns(bytes);
  const write = (records: readonly StreamRecord[]): void => {
    for (const record of records) {
      const begin = bytes.at;
      if (!patterns.write(record)) {
        bytes.at = begin;
        bytes.putJson(harmlessJson(record) ?? "null");
      }
      bytes.put(NEWLINE);
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
