/** What the tools have in common that print the state of every device at once: such a tool only has to read its text. */
import type { Gpu, Process, SectionError, Sections } from "../../contract/record.js";
import { firstErrors, partError, outputText } from "./part-output.js";
import type {
  Maker,
  Part,
  PartOutput,
  PartOutputs,
  ProbeContext,
  Reading,
  Shim,
  ToolVerdict,
} from "./shim.js";

export interface DevicesRead {
  readonly gpus: readonly Gpu[];
  /** Undefined where the tool does not report processes. */
  readonly processes?: readonly Process[] | undefined;
  /** As in Reading. */
  readonly areOurPids?: true;
  /** Errors of single rows. */
  readonly errors?: readonly SectionError[];
}

export interface DeviceTool extends Pick<Shim, "id" | "executables"> {
  readonly maker: Maker;
  /** The first part lists the devices: the tool works when it does. */
  readonly probe: (context: ProbeContext) => readonly Part[];
  /** The parts that a later tick runs; all when left out. Parts that do not run again are read from the probe's answer. */
  readonly tick?: (context: ProbeContext, probed: PartOutputs) => readonly Part[];
  /** Reads a tick's outputs on top of the probe's. Never throws, whatever the tool prints. */
  readonly read: (outputs: PartOutputs, context: ProbeContext) => DevicesRead;
}

/** The shim of such a tool. */
export function deviceTool(tool: DeviceTool): Shim {
  return {
    id: tool.id,
    maker: tool.maker,
    executables: tool.executables,
    probe: tool.probe,
    judge(probed, context): ToolVerdict {
      if (tool.read(probed, context).gpus.length === 0)
        return { kind: "broken", message: `${tool.id}: ${whyNoDevice(firstOutput(tool, probed, context))}` };
      const parts = (tool.tick ?? tool.probe)(context, probed);
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
  // A part that this tick should have run and did not must not be read from the probe's answer.
  const again = new Set((tool.tick ?? tool.probe)(context, probed).map((part) => part.id));
  const known = [...probed].filter(([id]) => !again.has(id));
  const read = tool.read(new Map([...known, ...outputs]), context);
  const errors: SectionError[] = [];
  const output = firstOutput(tool, outputs, context);
  const failed = partError("gpu", tool.id, output, read.gpus.length > 0);
  if (failed !== null) errors.push(failed);
  else if (read.gpus.length === 0)
    errors.push({ section: "gpu", kind: "error", message: `${tool.id}: ${whyNoDevice(output)}` });
  // Not as arguments of one push: thousands would overflow the stack.
  for (const error of read.errors ?? []) errors.push(error);
  const sections: Sections = {
    ...(context.include.has("gpu") && read.gpus.length > 0 ? { gpus: read.gpus } : {}),
    ...(context.include.has("process") && read.processes !== undefined ? { processes: read.processes } : {}),
  };
  const result = { sections, errors: firstErrors(errors) };
  return read.areOurPids === true ? { ...result, areOurPids: true } : result;
}

function firstOutput(tool: DeviceTool, outputs: PartOutputs, context: ProbeContext): PartOutput | undefined {
  return outputs.get(tool.probe(context)[0]?.id ?? "");
}

function whyNoDevice(output: PartOutput | undefined): string {
  const text = output === undefined ? "" : outputText(output);
  return text === "" ? "it printed no device" : text;
}

/** A part's stdout; "" for a part that was not run. */
export function stdoutOf(outputs: PartOutputs, id: string): string {
  return outputs.get(id)?.stdout ?? "";
}

/** The entry for `errors` where the text ends within its JSON; none where it does not. */
export function cutErrors(tool: string, cut: boolean): readonly SectionError[] {
  return cut ? [{ section: "gpu", kind: "parse", message: `${tool}: the JSON is cut short` }] : [];
}
