// Prints GPUs that somebody holds and nobody uses: with processes or used memory, and below 5 % in each reading for N minutes.
//   allsmi-ssh --ssh-hostfile hosts.txt --include gpu,process --interval 60 | node examples/idle-gpus.mjs --minutes 30
// One line for each idle time of a GPU, as soon as it is long enough. A recording can be read in the same way.
// A utilization that is missing (null: MIG, a failed GPU) is neither idle nor busy.
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    // Percent: a GPU at it or above is in use.
    below: { type: "string", default: "5" },
    // Memory that a GPU without processes must use to count as held: less is the driver's own.
    "min-mib": { type: "string", default: "1024" },
  },
});
const MIN_IDLE_MS = number("minutes") * 60_000;
const BUSY_PERCENT = number("below");
const MIN_HELD_BYTES = number("min-mib") * 2 ** 20;
/** Readings may be missing for this long without the idle time starting anew: a host that was away for a moment. */
const MAX_UNREAD_MS = 5 * 60_000;

/** By host and GPU: when it was first and last read as idle, when each holder was first seen, and whether it was printed. */
const idle = new Map();
const withoutProcesses = new Set();

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  const record = JSON.parse(line);
  if (record.record !== "frame" || record.gpus === undefined) continue;
  if (record.processes === undefined) warnOnce(record.hostname);
  for (const gpu of record.gpus) readGpu(record, gpu);
}

function readGpu(record, gpu) {
  const key = `${record.host_id} ${gpu.tool} ${gpu.uuid ?? gpu.index}`;
  if (gpu.utilization === null) return;
  const holders = (record.processes ?? []).filter((each) => each.uses_gpu && isOn(each, gpu));
  const ownMemory = gpu.memory_source === "host" ? 0 : (gpu.used_memory ?? 0);
  const isHeld = holders.length > 0 || ownMemory >= MIN_HELD_BYTES;
  if (gpu.utilization >= BUSY_PERCENT || !isHeld) {
    idle.delete(key);
    return;
  }
  const now = Date.parse(record.timestamp);
  let span = idle.get(key);
  const wasRead = span !== undefined && (record.tick === span.tick + 1 || now - span.last <= MAX_UNREAD_MS);
  if (!wasRead) span = { since: now, holders: new Map(), isPrinted: false };
  const since = ({ pid, start_time: start }) => span.holders.get(`${pid} ${start}`) ?? now;
  span = {
    ...span,
    last: now,
    tick: record.tick,
    holders: new Map(holders.map((each) => [`${each.pid} ${each.start_time}`, since(each)])),
  };
  idle.set(key, span);
  if (span.isPrinted || now - span.since < MIN_IDLE_MS) return;
  span.isPrinted = true;
  const by = holders.map((each) => `${holderText(each)}, for ${minutes(now - since(each))}`);
  console.log(
    `${record.hostname} GPU ${gpu.index ?? gpu.uuid}: idle for ${minutes(now - span.since)}, ${gib(gpu.used_memory)} in use, ` +
      (by.length > 0 ? `held by ${by.join("; ")}` : "held by no listed process"),
  );
}

/** A process has the index of its GPU, or of each where it uses several, or only the GPU's uuid. */
function isOn(each, gpu) {
  // In a host with GPUs of several vendors each tool counts its own from 0.
  if (each.tool !== undefined && each.tool !== gpu.tool) return false;
  if (each.device_ids !== undefined) return each.device_ids.includes(gpu.index);
  if (each.device_id !== null) return each.device_id === gpu.index;
  return each.device_uuid !== null && each.device_uuid === gpu.uuid;
}

function holderText({ user, pid, process_name: name, used_memory: used, ...owner }) {
  const of = [
    ...(owner.slurm_job_id ? [`job ${owner.slurm_job_id}`] : []),
    ...(owner.pod_name ? [`pod ${owner.pod_namespace ?? "?"}/${owner.pod_name}`] : []),
    ...(owner.container_id && !owner.pod_name ? [`container ${owner.container_id.slice(0, 12)}`] : []),
  ];
  return [user ?? "unknown user", `pid ${pid}`, name ?? "unknown program", ...of, gib(used)].join(", ");
}

function gib(bytes) {
  return bytes === null ? "unknown memory" : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function minutes(ms) {
  return `${Math.floor(ms / 60_000)} min`;
}

function number(name) {
  const value = Number(values[name]);
  if (values[name] !== "" && value >= 0) return value;
  console.error(`--${name} needs a number, not ${values[name]}`);
  process.exit(2);
}

function warnOnce(hostname) {
  if (withoutProcesses.has(hostname)) return;
  withoutProcesses.add(hostname);
  console.error(
    `${hostname}: no list of processes; give allsmi-ssh --include gpu,process, or see the errors of its records`,
  );
}
