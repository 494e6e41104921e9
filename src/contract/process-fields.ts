/** The fields of `processes`, in the order of their CSV columns. */
import type { FieldTable } from "./field-table.js";
import type { Process } from "./sections.js";

export const PROCESS_FIELDS = {
  pid: { type: "integer", csv: true, text: "Process id." },
  process_name: { type: "string", nullable: true, csv: true, text: "Name or path of the program." },
  device_id: { type: "integer", nullable: true, csv: true, text: "`index` of the device that it uses." },
  device_ids: {
    ...{ type: "array", optional: true, items: { type: "integer" } },
    text: "`index` of each device, where it uses several; `device_id` is null then.",
  },
  device_uuid: { type: "string", nullable: true, csv: true, text: "`uuid` of the device that it uses." },
  gpu_instance_id: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "GPU instance that it runs in (MIG).",
  },
  compute_instance_id: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Compute instance that it runs in (MIG).",
  },
  user: { type: "string", nullable: true, csv: true, text: "Owner; null with `--redact`." },
  used_memory: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Device memory in use." },
  cpu_percent: {
    type: "number",
    nullable: true,
    unit: "%",
    csv: true,
    text: "CPU use; 100 is one processor.",
  },
  memory_percent: {
    type: "number",
    nullable: true,
    unit: "%",
    csv: true,
    text: "Share of the host's memory.",
  },
  memory_rss: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Resident memory." },
  memory_vms: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Virtual memory." },
  gpu_utilization: { type: "number", nullable: true, unit: "%", csv: true, text: "Use of the device." },
  gpu_memory_utilization: {
    ...{ type: "number", nullable: true, optional: true, unit: "%" },
    text: "Share of time in which it read or wrote the device's memory.",
  },
  encoder_utilization: {
    ...{ type: "number", nullable: true, optional: true, unit: "%" },
    text: "Its use of the video encoder.",
  },
  decoder_utilization: {
    ...{ type: "number", nullable: true, optional: true, unit: "%" },
    text: "Its use of the video decoder.",
  },
  gpu_process_type: {
    ...{ type: "string", nullable: true, optional: true },
    text: "`C` (compute), `G` (graphics), `C+G`.",
  },
  state: { type: "string", nullable: true, csv: true, text: "As ps prints it (`S`, `R`, `D`, ...)." },
  start_time: { type: "string", nullable: true, csv: true, text: "When it started." },
  cpu_time: { type: "number", nullable: true, unit: "s", csv: true, text: "Processor time used." },
  ppid: { type: "integer", nullable: true, csv: true, text: "Id of the parent process." },
  threads: { type: "integer", nullable: true, csv: true, text: "Number of threads." },
  uses_gpu: { type: "boolean", csv: true, text: "Whether it uses an accelerator." },
  priority: { type: "integer", nullable: true, csv: true, text: "Scheduling priority." },
  nice_value: { type: "integer", nullable: true, csv: true, text: "Nice value." },
  command: { type: "string", nullable: true, csv: true, text: "Command line; null with `--redact`." },
  container_id: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Id or name of the container that it runs in; null outside of one, and with `--redact`.",
  },
  container_runtime: {
    ...{ type: "string", nullable: true, optional: true },
    text: "`docker`, `podman`, `containerd`, `cri-o`, `lxc`, ...; null where the group's name does not show it.",
  },
  pod_uid: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Uid of its Kubernetes pod; null with `--redact`.",
  },
  pod_name: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Name of the pod, where /var/log/pods shows it; null with `--redact`.",
  },
  pod_namespace: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Namespace of the pod, from the same place; null with `--redact`.",
  },
  slurm_job_id: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Slurm job that it belongs to; null with `--redact`.",
  },
  slurm_step: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Step of the job: a number, `batch`, `extern` or `interactive`; null with `--redact`.",
  },
  systemd_unit: {
    ...{ type: "string", nullable: true, optional: true },
    text: "Innermost systemd service or scope; null with `--redact`.",
  },
} as const satisfies FieldTable<Process>;
