/** What the tools share that print the state of every device at once: one file a tool needs no more than its text. */
import type { Gpu, Process, SectionError, Sections } from "../../contract/record.js";
import { firstErrors, partError, outputText } from "./part-output.js";
import type { Part, PartOutput, PartOutputs, ProbeContext, Reading, Shim, ToolVerdict } from "./shim.js";

export interface DevicesRead {
  readonly gpus: readonly Gpu[];
  /** Undefined where the tool does not tell of processes. */
  readonly processes?: readonly Process[] | undefined;
  /** As in a reading. */
  readonly areOurPids?: true;
  /** What was wrong with single rows. */
  readonly errors?: readonly SectionError[];
}

export interface DeviceTool extends Pick<Shim, "id" | "executables"> {
  /** The first part tells of the devices: the tool works when it does. */
  readonly probe: (context: ProbeContext) => readonly Part[];
  /** Which of them a later tick runs; all when left out. What is not run again is read from the probe's answer. */
  readonly tick?: (context: ProbeContext) => readonly Part[];
  /** Reads a tick's outputs over the probe's. Never throws for what a tool prints. */
  readonly read: (outputs: PartOutputs, context: ProbeContext) => DevicesRead;
}

/** The shim of such a tool. */
export function deviceTool(tool: DeviceTool): Shim {
  return {
    id: tool.id,
    executables: tool.executables,
    probe: tool.probe,
    judge(probed, context): ToolVerdict {
      if (tool.read(probed, context).gpus.length === 0)
        return { kind: "broken", message: `${tool.id}: ${whyNoDevice(firstOutput(tool, probed, context))}` };
      const parts = (tool.tick ?? tool.probe)(context);
      return {
        kind: "usable",
        sampler: { parts, parse: (outputs) => reading(tool, outputs, probed, context) },
      };
    },
  };
}

function reading(
  tool: DeviceTool,
  outputs: PartOutputs,
  probed: PartOutputs,
  context: ProbeContext,
): Reading {
  // What a tick was to run and did not is not the probe's answer again.
  const again = new Set((tool.tick ?? tool.probe)(context).map((part) => part.id));
  const known = [...probed].filter(([id]) => !again.has(id));
  const read = tool.read(new Map([...known, ...outputs]), context);
  const errors: SectionError[] = [];
  const output = firstOutput(tool, outputs, context);
  const failed = partError("gpu", tool.id, output, read.gpus.length > 0);
  if (failed !== null) errors.push(failed);
  else if (read.gpus.length === 0)
    errors.push({ section: "gpu", kind: "error", message: `${tool.id}: ${whyNoDevice(output)}` });
  // Not as arguments: of thousands there is no room on the stack.
  for (const error of read.errors ?? []) errors.push(error);
  const sections: Sections = {
    ...(context.include.has("gpu") && read.gpus.length > 0 ? { gpus: read.gpus } : {}),
    ...(context.include.has("process") && read.processes !== undefined ? { processes: read.processes } : {}),
  };
  const told = { sections, errors: firstErrors(errors) };
  return read.areOurPids === true ? { ...told, areOurPids: true } : told;
}

function firstOutput(tool: DeviceTool, outputs: PartOutputs, context: ProbeContext): PartOutput | undefined {
  return outputs.get(tool.probe(context)[0]?.id ?? "");
}

function whyNoDevice(output: PartOutput | undefined): string {
  const said = output === undefined ? "" : outputText(output);
  return said === "" ? "it printed no device" : said;
}

/** What of a part's text is there to read; "" for a part that was not run or said nothing. */
export function stdoutOf(outputs: PartOutputs, id: string): string {
  return outputs.get(id)?.stdout ?? "";
}

/** The entry for `errors` of a text that ends within its JSON. */
export function cutErrors(tool: string, cut: boolean): readonly SectionError[] {
  return cut ? [{ section: "gpu", kind: "parse", message: `${tool}: the JSON is cut short` }] : [];
}
