/** One JSON object a line, written beside earlier ones: JSON.stringify leaves three times the line behind as garbage. */
import type { Formatter } from "./formatter.js";
import { harmlessJson, JsonBytes } from "./json-bytes.js";
import { JsonPatterns } from "./json-patterns.js";

const NEWLINE = 0x0a;

const bytes = new JsonBytes();
const patterns = new JsonPatterns(bytes);

export const ndjsonFormatter: Formatter = {
  format(records) {
    for (const record of records) {
      const begin = bytes.at;
      if (!patterns.write(record)) {
        bytes.at = begin;
        bytes.putJson(harmlessJson(record) ?? "null");
      }
      bytes.put(NEWLINE);
    }
    return bytes.take();
  },
};
