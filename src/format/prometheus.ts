/** `--format prometheus`: the latest state of the whole fleet as one text, at the end or after each tick. */
import type { StreamRecord } from "../contract/record.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { exposition } from "./prometheus/exposition.js";
import { FleetState } from "./prometheus/fleet-state.js";
import { TickBlocks } from "./tick-blocks.js";

/** Each text is whole: whoever writes it replaces the one before. Processes are in none. */
export function createPrometheusFormatter({
  hostCount,
  wholeText = { eachTick: false, atEnd: true },
}: Pick<FormatterOptions, "hostCount" | "wholeText">): Formatter {
  const fleet = new FleetState();
  const ticks = new TickBlocks(hostCount);
  const text = (): string => [...exposition(fleet.views(null), "text")].join("");
  return {
    format(records: readonly StreamRecord[]) {
      if (!wholeText.eachTick && !wholeText.atEnd) return "";
      // The time is for readings that are too old, which a run that is paced by its own ticks has none of.
      fleet.absorb(records, 0);
      return wholeText.eachTick && ticks.take(records).length > 0 ? text() : "";
    },
    end: () => (wholeText.atEnd ? text() : ""),
  };
}
