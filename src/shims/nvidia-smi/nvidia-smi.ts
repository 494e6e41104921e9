/** NVIDIA GPUs by nvidia-smi, drivers 340 to 610 on Linux, WSL and Windows. */
import { ParseError } from "../../contract/errors.js";
import type { Gpu, Process } from "../../contract/record.js";
import type {
  Holder,
  Part,
  PartOutput,
  PartOutputs,
  ProbeContext,
  Sampler,
  Shim,
  ToolVerdict,
} from "../kit/shim.js";
import { firstErrors } from "../kit/part-output.js";
import { cudaVersionKept, factsAfter, nvidiaAssignments } from "./kept-facts.js";
import { APPS_COMMAND } from "./apps.js";
import { fieldsInHelp, queryCommand, TEN_FIELDS } from "./fields.js";
import { hasNoReadings } from "./gpu.js";
import { NvlinkReadings } from "./nvlink-readings.js";
import { PcieReadings } from "./pcie-readings.js";
import { PMON_COMMAND } from "./pmon.js";
import { PROBE_COMMAND, whereMigIsEnabled } from "./probe-command.js";
import { readQuery, type QueryAnswer, type ReadQuery } from "./query.js";
import { cudaVersionIn, SeldomReadings } from "./seldom.js";
import { TickQuery } from "./tick-query.js";
import {
  APPS,
  brokenBecause,
  gpusIn,
  LIST,
  PMON,
  processesIn,
  QUERY,
  refusedIn,
  wholeLines,
  worksPmon,
  XML,
  xmlIn,
  type XmlSection,
} from "./sections.js";

const HELP = "nvidia-smi.help";
const VERSION = "nvidia-smi.version";

const LIST_PART: Part = { id: LIST, kind: "program", command: "{tool} -L" };
const XML_PART: Part = { id: XML, kind: "program", command: "{tool} -q -x" };
const APPS_PART: Part = { id: APPS, kind: "program", command: APPS_COMMAND, isBuffered: true };
const PMON_PART: Part = { id: PMON, kind: "program", command: PMON_COMMAND, isBuffered: true };
/** It initialises no GPU. Drivers before 515 refuse it. */
const VERSION_PART: Part = { id: VERSION, kind: "program", command: "{tool} --version", isBuffered: true };
/** The same where the query before it was not made of kept facts, among which the version is. */
const VERSION_UNLESS_KEPT: Part = {
  id: VERSION,
  kind: "buffered-shell",
  command: "case $kw in 1) ;; *) f; b {tool} --version 2>/dev/null;; esac",
};
/** The probe runs both only where MIG is on: the whole state costs some ten times a query. */
const MIG_PROBE: readonly Part[] = [LIST_PART, XML_PART].map(({ id, command }) => ({
  id,
  kind: "buffered-shell",
  command: whereMigIsEnabled(command),
}));

/** The shim. `makeReader` makes the reader of one host's ticks from the plain one, and returns what that would. */
export function nvidiaSmi(makeReader: (plain: ReadQuery) => ReadQuery): Shim {
  return {
    id: "nvidia-smi",
    maker: { vendor: "nvidia", pci: ["0x10de"] },
    executables: ["nvidia-smi"],

    probe({ include, mode }) {
      const apps = include.has("process") ? [APPS_PART, PMON_PART] : [];
      const version = (part: Part): readonly Part[] => (include.has("gpu") ? [part] : []);
      if (mode === "shell")
        return [
          { id: QUERY, kind: "buffered-shell", command: PROBE_COMMAND },
          ...MIG_PROBE,
          ...version(VERSION_UNLESS_KEPT),
          ...apps,
        ];
      return [
        { id: QUERY, kind: "program", command: queryCommand(TEN_FIELDS) },
        { id: HELP, kind: "program", command: "{tool} --help-query-gpu" },
        LIST_PART,
        ...version(VERSION_PART),
        ...apps,
      ];
    },

    judge(outputs, context) {
      const output = outputs.get(QUERY);
      if (output === undefined) throw new ParseError("nvidia-smi: the probe has no answer from it");
      const answer = readQuery(wholeLines(output), TEN_FIELDS);
      const refused = refusedIn(output);
      if (answer.gpus.length === 0 && (refused === null || context.mode === "shell"))
        return { kind: "broken", message: brokenBecause(output, answer.exitCode) };
      const help = outputs.get(HELP)?.stdout;
      const kept = context.kept?.get("nvidia-smi");
      const columns = help === undefined ? answer.columns : fieldsInHelp(help);
      const sampler = nvidiaSampler({
        // Without the kept facts: a sampler lives for hours.
        context: { include: context.include, mode: context.mode },
        // The same list for the fleet where there is nothing to leave out.
        columns: refused === null ? columns : columns.filter((field) => field !== refused),
        hasMig:
          answer.gpus.some((gpu) => gpu.mig_mode === true) || /\bMIG-/.test(outputs.get(LIST)?.stdout ?? ""),
        hasPmon: worksPmon(outputs),
        makeReader,
        cudaVersion:
          answer.probe?.isOfKept === true
            ? cudaVersionKept(kept)
            : cudaVersionIn(outputs.get(VERSION)?.stdout ?? ""),
        probed: { output, answer },
      });
      const facts = factsAfter(answer, outputs.get(VERSION), kept);
      return { ...verdictOf(answer.gpus, sampler), ...(facts === undefined ? {} : { facts }) };
    },
    assignmentsOf: nvidiaAssignments,
  };
}

function verdictOf(gpus: readonly Gpu[], sampler: Sampler): ToolVerdict {
  if (!gpus.every(hasNoReadings)) return { kind: "usable", sampler };
  return { kind: "poor", message: "nvidia-smi lists the GPU and gives no reading of it", sampler };
}

interface Known {
  readonly context: ProbeContext;
  readonly columns: readonly string[];
  readonly hasMig: boolean;
  readonly hasPmon: boolean;
  readonly makeReader: (plain: ReadQuery) => ReadQuery;
  readonly cudaVersion: string | null;
  /** The probe's query. */
  readonly probed: { readonly output: PartOutput; readonly answer: QueryAnswer };
}

/**
 * With processes, keeps the GPUs of the last tick that had any: their numbers go into the processes of a tick whose
 * query failed or was not asked.
 */
function nvidiaSampler({ context, hasMig, hasPmon, ...known }: Known): Sampler {
  const wantsGpus = context.include.has("gpu");
  const wantsProcesses = context.include.has("process");
  let probed: Known["probed"] | null = known.probed;
  let lastGpus: readonly Gpu[] = wantsProcesses ? probed.answer.gpus : [];
  const seldom = new SeldomReadings(known.cudaVersion, probed.answer.gpus);
  const query = new TickQuery(
    QUERY,
    { columns: known.columns, answer: probed.answer },
    seldom,
    known.makeReader,
  );
  const nvlink = new NvlinkReadings(wantsGpus ? probed.answer.gpus : []);
  const pcie = new PcieReadings(wantsGpus && !hasMig ? probed.answer.gpus : []);
  const partsNow = (): readonly Part[] => [
    ...(wantsGpus ? [query.part, ...nvlink.parts, ...pcie.parts] : []),
    ...(wantsGpus && hasMig ? [LIST_PART] : []),
    ...((wantsGpus || wantsProcesses) && hasMig ? [XML_PART] : []),
    ...(wantsProcesses ? [APPS_PART] : []),
    ...(wantsProcesses && hasPmon ? [PMON_PART] : []),
  ];
  let parts = partsNow();
  /** The probe's answer is also the first sample's; it is read once. */
  const answerIn = (outputs: PartOutputs): QueryAnswer | null => {
    const output = outputs.get(QUERY);
    if (output === undefined) return null;
    const answer = output === probed?.output ? probed.answer : null;
    // Not kept any longer: a sampler lives for hours.
    probed = null;
    return answer === null ? query.read(wholeLines(output)) : query.first(answer);
  };
  return {
    get parts() {
      return parts;
    },
    holder: NVIDIA_HOLDER,
    parse(outputs) {
      const sections: { gpus?: readonly Gpu[]; processes?: readonly Process[] } = {};
      const { xml, errors: xmlErrors } = hasMig ? xmlIn(outputs, wantsGpus ? "gpu" : "process") : NO_XML;
      let errors = xmlErrors;
      if (wantsGpus) {
        const { gpus, errors: gpuErrors } = gpusIn(outputs, answerIn(outputs), xml);
        errors = [...errors, ...gpuErrors, ...nvlink.read(outputs), ...pcie.read(outputs, gpus ?? [])];
        if (gpus !== null) {
          sections.gpus = pcie.complete(nvlink.complete(gpus));
          if (wantsProcesses) lastGpus = gpus;
        }
      }
      if (wantsProcesses) {
        const { processes, errors: processErrors } = processesIn(outputs, lastGpus, xml, hasPmon);
        errors = [...errors, ...processErrors];
        if (processes !== null) sections.processes = processes;
      }
      const reading = { sections, errors: firstErrors(errors) };
      // A driver that was replaced meanwhile: the next tick asks for the fields that it knows.
      const refused = refusedIn(outputs.get(QUERY));
      if (refused !== null) query.leaveOut(refused);
      const next = partsNow();
      if (next.some((part, at) => part !== parts[at]) || next.length !== parts.length) parts = next;
      return isOutdated(sections.gpus, hasMig) || (refused !== null && context.mode === "shell")
        ? { ...reading, outdated: true }
        : reading;
    },
  };
}

const NO_XML: XmlSection = { xml: [], errors: [] };

/** MIG was switched on since the probe, which chose the commands for a host without it. */
function isOutdated(gpus: readonly Gpu[] | undefined, hasMig: boolean): boolean {
  return !hasMig && gpus?.some((gpu) => gpu.mig_mode === true) === true;
}

/** Keeps the NVIDIA driver initialised where persistence mode is off and nothing else uses the GPUs. */
export const NVIDIA_HOLDER: Holder = {
  // In loop mode a reading costs a tenth: 3 ms of CPU instead of 31 (forty fields of an H100, driver 580, persistence mode
  // on), and each line comes through a pipe at once. Still no reading is taken from it: its interval is not our tick, and
  // not every driver can be trusted with what it goes on to print of a GPU that was lost meanwhile.
  //
  // NVML initialises a GPU when it is first asked for (nvmlDeviceGetHandleByIndex; nvmlInit_v2 alone does not) and
  // releases it when the program ends. So the command asks each GPU for a field of its own, and for one that is no reading.
  command: "{tool} --query-gpu=uuid --format=csv,noheader -l 60",
  /** Not where a GPU has failed: it can be reset only while nothing uses it. */
  isWanted({ sections: { gpus = [] }, errors }) {
    if (errors.some(({ section }) => section === "gpu")) return false;
    return gpus.some((gpu) => gpu.persistence_mode !== true) && gpus.every((gpu) => gpu.error === undefined);
  },
};
