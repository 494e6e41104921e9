/** A disk without space does not end a watch: lines are dropped and counted, and written again once there is space. */
import type { Output } from "./output.js";
import { OutputFull } from "./output.js";
import { linesIn } from "./whole-lines.js";

export interface PatientOutput extends Output {
  /** Lines that were lost so far. */
  readonly droppedLines: number;
}

/**
 * `log` takes a line when the first text is lost, and one when writing works again or the output is closed. `header` is
 * written before the next text where it was lost itself.
 */
export function patientOutput(output: Output, header: string, log: (line: string) => void): PatientOutput {
  let dropped = 0;
  let isFull = false;
  let reported = 0;
  let lostHeader = "";
  const losses = (): string => {
    const lines = dropped - reported;
    reported = dropped;
    return lines === 1 ? "1 line was dropped" : `${lines} lines were dropped`;
  };
  const reopen = output.reopen?.bind(output);
  return {
    get firstLine() {
      return output.firstLine;
    },
    isOnDisk: true,
    get droppedLines() {
      return dropped;
    },
    async write(text) {
      try {
        if (lostHeader !== "" && text.length > 0) {
          await output.write(lostHeader);
          lostHeader = "";
        }
        await output.write(text);
      } catch (error) {
        if (!(error instanceof OutputFull)) throw error;
        if (text === header) lostHeader = header;
        else dropped += lostHeader === "" ? error.droppedLines : linesIn(text);
        if (!isFull) log(`warning: ${error.message}; lines are dropped until there is space`);
        isFull = true;
        return;
      }
      if (!isFull || text.length === 0) return;
      isFull = false;
      log(`there is space for the output again; ${losses()}`);
    },
    ...(reopen === undefined ? {} : { reopen }),
    async close() {
      if (isFull) log(`there was no space for the output until the end; ${losses()}`);
      isFull = false;
      await output.close();
    },
  };
}
