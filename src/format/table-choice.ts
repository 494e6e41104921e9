/** What the table shows with `--where`: the GPUs that meet a condition about GPUs, and the hosts that meet the others. */
import { truthFor, truthIn } from "../conditions/evaluate.js";
import type { Condition } from "../contract/condition.js";
import type { FrameRecord, StreamRecord } from "../contract/record.js";
import { deviceRows, type DeviceRow } from "./rows/device-rows.js";

/** Null: everything is shown. The function's null: nothing of this record is. */
export function chosenBy(
  where: readonly Condition[],
): ((record: StreamRecord) => StreamRecord | null) | null {
  if (where.length === 0) return null;
  const ofGpus = where.filter(({ sections }) => sections.length === 1 && sections[0] === "gpu");
  const ofHosts = where.filter((condition) => !ofGpus.includes(condition));
  return (record) => {
    if (!ofHosts.every((condition) => truthIn(condition, record) === true)) return null;
    if (record.record === "frame" && (record.gpus ?? []).length > 0) return withChosenGpus(record, ofGpus);
    return ofGpus.every((condition) => truthIn(condition, record) === true) ? record : null;
  };
}

function withChosenGpus(frame: FrameRecord, conditions: readonly Condition[]): FrameRecord | null {
  const rows = deviceRows(frame, ["gpu"]).filter(({ device }) => device !== null);
  const chosen = rows.filter(({ device, place: position }) =>
    conditions.every(
      (condition) => truthFor(condition, frame, { section: "gpu", device: device ?? {}, position }) === true,
    ),
  );
  if (chosen.length === rows.length) return frame;
  if (chosen.length === 0) return null;
  const left = rows.filter((row) => !chosen.includes(row));
  return without(left, frame);
}

/** Without these GPUs, and without what is wrong with them. */
function without(left: readonly DeviceRow[], frame: FrameRecord): FrameRecord {
  const places = new Set(left.map(({ place }) => place));
  const names = new Set(left.map(({ section, index }) => `${section} ${index}`));
  const theirs = new Set(left.flatMap(({ errors }) => errors));
  const { gpus = [], errors, health } = frame;
  return {
    ...frame,
    gpus: gpus.filter((_, place) => !places.has(place)),
    ...(errors === undefined ? {} : { errors: errors.filter((error) => !theirs.has(error)) }),
    ...(health === undefined
      ? {}
      : {
          health: {
            ...health,
            findings: health.findings.filter(({ device }) => device === null || !names.has(device)),
          },
        }),
  };
}
