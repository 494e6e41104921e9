/** A fleet of any size for pictures of it: the same records each time, a few hosts sick in every way that the table shows. */
import type { FrameRecord, StreamRecord } from "../../src/contract/record.js";
import { HealthJudge } from "../../src/health/judge.js";
import { frame, gpu, state } from "./records.js";

const HOSTS_A_RACK = 20;
const GPUS = 8;
const BEGIN_MS = Date.parse("2026-01-02T03:04:05.678Z");
const INTERVAL_MS = 2000;

/** The tick's records, in the order of the hosts, judged by the health rules. A host of two in a hundred is sick. */
export function madeFleet(hosts: number, ticks: number): readonly (readonly StreamRecord[])[] {
  const judge = new HealthJudge({ rules: true, expectations: [] });
  return Array.from({ length: ticks }, (_, tick) =>
    Array.from({ length: hosts }, (_, host) => {
      const record = recordOf(host, tick);
      return { ...record, health: judge.judge(record) };
    }),
  );
}

function recordOf(host: number, tick: number): StreamRecord {
  const timestamp = new Date(BEGIN_MS + tick * INTERVAL_MS).toISOString();
  const hostname = `gpu-${String(host + 1).padStart(3, "0")}`;
  const labels = { rack: `r${String(Math.floor(host / HOSTS_A_RACK) + 1).padStart(2, "0")}` };
  const common = { hostname, labels, timestamp, tick };
  const failed = { ...common, attempt: tick + 1 };
  switch (host) {
    case 4:
      return { ...readings(common, host, tick), gpus: sick(readings(common, host, tick), "ecc") };
    case 6:
      return state({
        ...failed,
        state: "host-key-rejected",
        retry_in_ms: null,
        last_error: {
          code: "host-key-unknown",
          phase: "handshake",
          message: `no ED25519 host key is known for ${hostname}`,
          fix: `ssh-keyscan -t ed25519 ${hostname} >> ~/.ssh/known_hosts`,
        },
      });
    case 8:
    case 9:
      if (tick === 0) return readings(common, host, tick);
      return state({
        ...common,
        state: "connected",
        transport: "nvidia-smi",
        retry_in_ms: null,
        last_error: {
          code: "sample-overrun",
          phase: "sample",
          message: "the sample of tick 0 is still under way",
        },
      });
    case 31:
      return { ...readings(common, host, tick), gpus: sick(readings(common, host, tick), "hot") };
    case 47:
    case 148:
    case 249:
      return state({ ...failed, state: "unreachable", last_error: UNREACHABLE });
    case 55:
      return {
        ...readings(common, host, tick),
        errors: [{ section: "chassis", kind: "timeout", message: "ipmitool gave no answer within 10 s" }],
      };
    default:
      return readings(common, host, tick);
  }
}

const UNREACHABLE = {
  code: "network-unreachable",
  phase: "dial",
  message: "no route to host",
  fix: "check the address, the network and the firewall between here and the host",
} as const;

function readings(common: Partial<FrameRecord>, host: number, tick: number): FrameRecord {
  const isAmd = host % HOSTS_A_RACK === HOSTS_A_RACK - 1;
  return frame({
    ...common,
    gpus: Array.from({ length: GPUS }, (_, index) => {
      // Without a pattern that a reader could see, and the same each time.
      const noise = (host * 37 + index * 11 + tick * 5 + ((host * index) % 7)) % 50;
      const isIdle = host % 9 === 3;
      return gpu({
        index,
        uuid: `GPU-${host}-${index}`,
        name: isAmd ? "AMD Instinct MI300X OAM" : "NVIDIA H100 80GB HBM3",
        utilization: isIdle ? noise % 3 : 51 + noise,
        temperature: isIdle ? 30 + (noise % 5) : 52 + (noise % 25),
        used_memory: (isIdle ? 1 : 20 + noise) * 2 ** 30,
        power_consumption: isIdle ? 72 + (noise % 9) : 420 + noise * 5,
        pcie_link_gen: 5,
        pcie_link_width: 16,
        ecc_uncorrected_since_load: 0,
        temperature_margin: 30 - (noise % 20),
      });
    }),
  });
}

function sick({ gpus = [] }: FrameRecord, how: "ecc" | "hot"): NonNullable<FrameRecord["gpus"]> {
  const changes =
    how === "ecc"
      ? { ecc_uncorrected_since_load: 4, recovery_action: "Reset" }
      : { temperature: 89, temperature_margin: -1, throttle_reasons: ["hw_thermal_slowdown"] };
  return gpus.map((each, index) => (index === 3 ? { ...each, ...changes } : each));
}
