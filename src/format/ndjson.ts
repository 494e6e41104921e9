/** NDJSON: one JSON object a line. */
import type { StreamRecord } from "../contract/record.js";
import { safeJson } from "../lib/safe-json.js";
import { NdjsonLines } from "./fast/ndjson-lines.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { lineObjects, type LineObjects } from "./line-objects.js";
import { writeSound, type Unwritable } from "./unwritable.js";

type NdjsonOptions = Pick<FormatterOptions, "isOnce" | "unwritable"> &
  Partial<Pick<FormatterOptions, "query" | "csvSections" | "selection">>;

/** The only place that chooses the fast writer. Without fast/, plainNdjson writes the same bytes. */
export function createNdjsonFormatter({ isOnce, unwritable, ...layout }: NdjsonOptions): Formatter {
  const objects = lineObjects(layout) ?? itself;
  // A run of one tick ends before the fast writer has seen enough records to gain anything.
  return isOnce ? plainNdjson(objects, unwritable) : fastNdjson(objects, unwritable);
}

function itself(record: StreamRecord): readonly object[] {
  return [record];
}

function plainNdjson(objects: LineObjects, unwritable: Unwritable | undefined): Formatter {
  const lines = (records: readonly StreamRecord[]): string =>
    records.flatMap(objects).map(ndjsonLine).join("");
  return { format: (records) => writeSound(records, lines, unwritable) };
}

/** One record as a line, with its end. */
export function ndjsonLine(record: object): string {
  return `${safeJson(record) ?? "null"}\n`;
}

function fastNdjson(objects: LineObjects, unwritable: Unwritable | undefined): Formatter {
  const lines = new NdjsonLines();
  const add = (record: StreamRecord): void => {
    try {
      lines.addAll(objects(record));
    } catch (error) {
      if (unwritable === undefined) {
        // The batch is lost. Its first lines must not be printed with the next one.
        lines.clear();
        throw error;
      }
      lines.addAll(objects(unwritable(record, error)));
    }
  };
  return {
    format(records) {
      records.forEach(add);
      return lines.takeText();
    },
    bytes(records) {
      records.forEach(add);
      return lines.take();
    },
  };
}
