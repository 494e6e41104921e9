/** `--format otlp-json`: a line for each record, with the metrics of its host as OTLP/JSON has them. */
import type { StreamRecord } from "../contract/record.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { exportRequest } from "./otlp/export-request.js";
import { HostHistory } from "./prometheus/host-history.js";
import { viewOf } from "./prometheus/host-view.js";

/** Of the build; absent where the sources run by themselves. */
declare const VERSION_TEXT: string | undefined;

interface KnownHost {
  readonly history: HostHistory;
  readonly firstTime: string;
}

export function createOtlpFormatter({ unwritable }: Pick<FormatterOptions, "unwritable">): Formatter {
  const hosts = new Map<string, KnownHost>();
  const version = typeof VERSION_TEXT === "string" ? (VERSION_TEXT.trim().split(" ").at(-1) ?? null) : null;
  const taken = (record: StreamRecord): KnownHost => {
    const known = hosts.get(record.host_id);
    known?.history.take(record, 0);
    const host = known ?? { history: new HostHistory(record, 0), firstTime: record.timestamp };
    hosts.set(record.host_id, host);
    return host;
  };
  const line = (record: StreamRecord): string => {
    const { history, firstTime } = taken(record);
    return `${exportRequest(viewOf(history, false), firstTime, version)}\n`;
  };
  return {
    format: (records) =>
      records
        .map((record) => {
          try {
            return line(record);
          } catch (error) {
            if (unwritable === undefined) throw error;
            return line(unwritable(record, error));
          }
        })
        .join(""),
  };
}
