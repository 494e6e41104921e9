/** Records for tests of what comes after the host stage. */
import type { FrameRecord, Gpu, StateRecord } from "../../src/contract/record.js";

type Labels = { host_id: string; hostname: string; instance: string; time: string };

const TIME = "2026-01-02T03:04:05.678Z";

export function frame(changes: Partial<FrameRecord> & { readonly hostname?: string } = {}): FrameRecord {
  const hostname = changes.hostname ?? "dgx-01";
  return {
    schema: 1,
    record: "frame",
    timestamp: TIME,
    tick: 0,
    host_id: `admin@${hostname}:22`,
    target: `ssh://admin@${hostname}`,
    hostname,
    labels: {},
    state: "connected",
    transport: "nvidia-smi",
    latency_ms: 12.5,
    ...changes,
  };
}

export function state(changes: Partial<StateRecord> & { readonly hostname?: string } = {}): StateRecord {
  const hostname = changes.hostname ?? "dgx-02";
  return {
    schema: 1,
    record: "state",
    timestamp: TIME,
    tick: 0,
    host_id: `admin@${hostname}:22`,
    target: `ssh://admin@${hostname}`,
    hostname,
    labels: {},
    state: "timeout",
    transport: null,
    previous_state: "connecting",
    attempt: 1,
    consecutive_failures: 1,
    since: TIME,
    retry_in_ms: 1500,
    last_error: { code: "connect-timeout", phase: "dial", message: "no answer within 10 s" },
    ...changes,
  };
}

export function gpu(changes: Partial<Gpu> = {}): Gpu & Labels {
  return {
    host_id: "admin@dgx-01:22",
    hostname: "dgx-01",
    instance: "dgx-01:22",
    time: TIME,
    index: 0,
    uuid: "GPU-0",
    name: "NVIDIA H100 80GB HBM3",
    device_type: "GPU",
    utilization: 97,
    ane_utilization: null,
    dla_utilization: null,
    tensorcore_utilization: null,
    temperature: 61,
    used_memory: 42_949_672_960,
    total_memory: 85_899_345_920,
    frequency: 1980,
    power_consumption: 612.4,
    power_limit: 700,
    gpu_core_count: null,
    detail: {},
    ...changes,
  };
}
