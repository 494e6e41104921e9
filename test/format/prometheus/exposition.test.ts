/** Expositions: numbers as in the records, in base units; a missing reading has no sample; labels never change. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HOST_STATES, type FrameRecord, type StreamRecord } from "../../../src/contract/record.js";
import { exposition, FAMILIES } from "../../../src/format/prometheus/exposition.js";
import { FleetState } from "../../../src/format/prometheus/fleet-state.js";
import { readExposition, valueOf } from "../../support/exposition.js";
import { propertyRuns } from "../../support/property-runs.js";
import { frame, gpu, state } from "../../support/records.js";
import { familiesOf, fullFrame, fullGpu, oddFleet, seriesOf, textOf } from "./fleet-of.js";

const HOST = { host: "admin@dgx-01:22" };
const GPU = { ...HOST, gpu: "0", uuid: "GPU-0" };

describe("families", () => {
  test("have names of their own, and types that fit them", () => {
    assert.equal(new Set(FAMILIES.map(({ name }) => name)).size, FAMILIES.length);
    for (const { name, type, unit, help } of FAMILIES) {
      assert.match(name, /^allsmi_[a-z0-9_]+$/);
      assert.equal(name.endsWith("_total"), type === "counter", name);
      assert.equal(name.endsWith("_info"), type === "info", name);
      if (unit !== null) assert.ok(name.replace(/_total$/, "").endsWith(`_${unit}`), name);
      assert.ok(help.endsWith("."), name);
    }
  });
  test("without samples are left out", () => {
    const families = familiesOf([state()]);
    assert.ok(families.has("allsmi_host_up") && !families.has("allsmi_gpu_info"));
  });
  test("of no host at all are no text, and an end in OpenMetrics", () => {
    assert.equal(textOf([]), "");
    assert.equal(textOf([], "openmetrics"), "# EOF\n");
  });
  test("are the same in OpenMetrics, with units, infos and an end", () => {
    const records = oddFleet(12);
    const text = textOf(records, "openmetrics");
    const open = readExposition(text);
    assert.deepEqual(seriesOf(open), seriesOf(familiesOf(records)));
    assert.equal(open.get("allsmi_gpu_info")?.type, "info");
    assert.equal(open.get("allsmi_gpu_power_limit_watts")?.unit, "watts");
    assert.equal(open.get("allsmi_gpu_ecc_corrected_errors_total")?.type, "counter");
    assert.ok(text.endsWith("\n# EOF\n") && !text.includes("\n\n"));
    assert.match(text, /^# TYPE allsmi_gpu info$/m);
    assert.match(text, /^# TYPE allsmi_gpu_ecc_corrected_errors counter$/m);
  });
});

describe("readings", () => {
  const families = familiesOf([fullFrame()]);
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, number | undefined])[] = [
    ["allsmi_gpu_utilization_ratio", GPU, 0.57],
    ["allsmi_gpu_memory_busy_ratio", GPU, 0.29],
    ["allsmi_gpu_fan_speed_ratio", GPU, 1.2],
    ["allsmi_gpu_memory_used_bytes", GPU, 42_949_672_960],
    ["allsmi_gpu_frequency_hertz", GPU, 1.41e9],
    ["allsmi_gpu_sm_frequency_hertz", GPU, 1_980_500_000],
    ["allsmi_gpu_power_consumption_watts", GPU, 612.4],
    ["allsmi_gpu_ecc_corrected_errors_total", GPU, 7],
    ["allsmi_gpu_ecc_uncorrected_errors_since_load_total", GPU, 0],
    ["allsmi_gpu_remapped_rows_pending", GPU, 1],
    ["allsmi_gpu_remapped_rows_failure", GPU, 0],
    ["allsmi_gpu_failed", GPU, 0],
    ["allsmi_gpu_throttle_reasons", GPU, 2],
    ["allsmi_gpu_throttle_reason", { ...GPU, reason: "hw_slowdown" }, 1],
    ["allsmi_gpu_throttle_time_sw_thermal_seconds_total", GPU, 2.5],
    ["allsmi_gpu_nvlink_active", GPU, 17],
    ["allsmi_gpu_nvlink_replay_errors_total", GPU, 4],
    ["allsmi_gpu_nvlink_crc_errors_total", GPU, undefined],
    ["allsmi_gpu_nvlink_ticks_ago", GPU, 3],
    ["allsmi_gpu_remap_banks_max", GPU, 640],
    ["allsmi_gpu_fabric_info", { ...GPU, state: "Completed", status: "Success" }, 1],
    ["allsmi_gpu_recovery_action", { ...GPU, action: "None" }, 1],
    [
      "allsmi_gpu_mig_memory_used_bytes",
      { ...GPU, gpu_instance: "1", compute_instance: "0", mig_uuid: "MIG-1" },
      3,
    ],
    ["allsmi_cpu_utilization_ratio", HOST, 0.125],
    ["allsmi_cpu_temperature_celsius", HOST, undefined],
    ["allsmi_cpu_cache_size_bytes", HOST, 384 * 2 ** 20],
    ["allsmi_cpu_sockets", HOST, 2],
    ["allsmi_cpu_quota", HOST, 2.5],
    ["allsmi_cpu_load_average", { ...HOST, minutes: "1" }, 1.5],
    ["allsmi_cpu_load_average", { ...HOST, minutes: "5" }, undefined],
    ["allsmi_cpu_load_average", { ...HOST, minutes: "15" }, 0],
    ["allsmi_cpu_socket_utilization_ratio", { ...HOST, socket: "1" }, 0.1],
    ["allsmi_cpu_socket_frequency_hertz", { ...HOST, socket: "0" }, 3_000_250_000],
    ["allsmi_cpu_info", { ...HOST, model: "EPYC 9654", architecture: "x86_64" }, 1],
    ["allsmi_memory_utilization_ratio", HOST, 0.4],
    ["allsmi_memory_swap_used_bytes", HOST, 0],
    ["allsmi_chassis_power_watts", HOST, 5000],
    ["allsmi_chassis_outlet_temperature_celsius", HOST, undefined],
    ["allsmi_chassis_fan_speed_rpm", { ...HOST, fan: "fan1" }, 9000],
    ["allsmi_chassis_fan_speed_rpm", { ...HOST, fan: "fan1", duplicate: "2" }, 9001],
    ["allsmi_chassis_thermal_pressure", { ...HOST, pressure: "Nominal" }, 1],
    ["allsmi_storage_size_bytes", { ...HOST, mountpoint: "/" }, 10],
    ["allsmi_storage_size_bytes", { ...HOST, mountpoint: "/data", duplicate: "2" }, 12],
    ["allsmi_host_uptime_seconds", HOST, 3600.5],
    ["allsmi_host_os_info", { ...HOST, os: "Ubuntu 24.04", kernel: "6.8.0" }, 1],
    ["allsmi_host_driver_info", { ...HOST, module: "nvidia", version: "580.95.05" }, 1],
    ["allsmi_host_pressure_cpu_some_ratio", HOST, 0.25],
    ["allsmi_host_pressure_memory_some_ratio", HOST, undefined],
    ["allsmi_host_numa_memory_total_bytes", { ...HOST, numa_node: "1" }, 8],
    ["allsmi_host_disk_state", { ...HOST, disk: "md0", state: "clean" }, 1],
    ["allsmi_host_disk_degraded_members", { ...HOST, disk: "md0" }, 1],
    ["allsmi_network_up", { ...HOST, interface: "eth0" }, 1],
    ["allsmi_network_speed_bytes_per_second", { ...HOST, interface: "eth0" }, 12.5e9],
    ["allsmi_network_receive_bytes_total", { ...HOST, interface: "eth0" }, 5],
    ["allsmi_network_transmit_errors_total", { ...HOST, interface: "eth0" }, undefined],
    ["allsmi_network_carrier_changes_total", { ...HOST, interface: "eth0" }, 3],
    ["allsmi_network_info", { ...HOST, interface: "eth0", kind: "ethernet", driver: "mlx5_core" }, 1],
    ["allsmi_host_sample_duration_seconds", HOST, 0.0125],
    ["allsmi_host_last_success_timestamp_seconds", HOST, 1_767_323_045.678],
    ["allsmi_host_section_ok", { ...HOST, section: "gpu" }, 1],
    ["allsmi_host_transport_info", { ...HOST, transport: "nvidia-smi" }, 1],
  ];
  for (const [name, labels, value] of cases)
    test(`${name}${JSON.stringify(labels).slice(HOST.host.length + 9)}`, () =>
      assert.equal(valueOf(families, name, labels), value));
  test("of single processors and of processes are none", () => {
    assert.ok([...families.keys()].every((name) => !/_process(es)?_|cpu_core|per_core/.test(name)));
  });
});

describe("a missing reading", () => {
  const nulls = Object.fromEntries(Object.keys(fullGpu()).map((key) => [key, null]));
  test("has no sample, and a device without any is still there", () => {
    const device = { ...fullGpu(), ...nulls, index: 0, error: "lost", detail: {} } as ReturnType<typeof gpu>;
    const families = familiesOf([frame({ gpus: [device] })]);
    const names = [...families.keys()].filter((name) => name.startsWith("allsmi_gpu"));
    assert.deepEqual(names, ["allsmi_gpu_failed"]);
    assert.equal(valueOf(families, "allsmi_gpu_failed", { ...HOST, gpu: "0" }), 1);
  });
  test("nor has one that is no number", () => {
    const odd = {
      ...fullGpu(),
      temperature: "61",
      utilization: NaN,
      used_memory: { a: 1 },
      fan_speed_percent: [],
    };
    const families = familiesOf([frame({ gpus: [odd as never] })]);
    for (const name of ["temperature_celsius", "utilization_ratio", "memory_used_bytes", "fan_speed_ratio"])
      assert.ok(!families.has(`allsmi_gpu_${name}`), name);
    assert.ok(families.has("allsmi_gpu_memory_total_bytes"));
  });
});

describe("an outage", () => {
  const labels = { rack: "r1", "expect.gpus": "8" };
  const up = frame({ labels, gpus: [fullGpu(), fullGpu({ index: 1, uuid: "GPU-1" })], tick: 1 });
  const down = state({
    hostname: "dgx-01",
    labels,
    state: "unreachable",
    tick: null,
    transport: "nvidia-smi",
  });
  const fleet = new FleetState();
  const shown = (record: StreamRecord): ReturnType<typeof readExposition> => {
    fleet.absorb([record], 0);
    return readExposition([...exposition(fleet.views(null), "text")].join(""));
  };
  const of = { host: "admin@dgx-01:22", rack: "r1", expect_gpus: "8" };

  test("takes readings away at once, and changes no series' labels", () => {
    const before = shown(up);
    const during = shown(down);
    const after = shown({ ...up, tick: 3 });
    assert.deepEqual(
      [...seriesOf(after)].filter((id) => !id.includes("failures_total")),
      [...seriesOf(before)],
    );
    for (const id of seriesOf(during))
      assert.ok(seriesOf(after).has(id) || /allsmi_host_(error|failures_total) /.test(id), id);
    assert.ok(![...during.keys()].some((name) => /gpu|sample_duration|section_ok/.test(name)));
    assert.equal(valueOf(before, "allsmi_host_up", of), 1);
    assert.equal(valueOf(during, "allsmi_host_up", of), 0);
    assert.equal(valueOf(during, "allsmi_host_last_success_timestamp_seconds", of), 1_767_323_045.678);
    for (const each of HOST_STATES)
      assert.equal(
        valueOf(during, "allsmi_host_state", { ...of, state: each }),
        each === "unreachable" ? 1 : 0,
      );
    assert.equal(valueOf(during, "allsmi_host_error", { ...of, code: "connect-timeout" }), 1);
    assert.equal(valueOf(during, "allsmi_host_consecutive_failures", of), 1);
    assert.equal(valueOf(after, "allsmi_host_consecutive_failures", of), 0);
  });
  test("is counted, and the connections after it", () => {
    const connected = state({ ...down, state: "connected", last_error: null });
    shown(connected);
    shown({ ...down, tick: 4 });
    const families = shown(connected);
    assert.equal(valueOf(families, "allsmi_host_reconnects_total", of), 1);
    assert.equal(valueOf(families, "allsmi_host_failures_total", { ...of, code: "connect-timeout" }), 1);
    assert.equal(valueOf(families, "allsmi_host_ticks_total", { ...of, result: "frame" }), 2);
    assert.equal(valueOf(families, "allsmi_host_ticks_total", { ...of, result: "none" }), 1);
    assert.equal(
      valueOf(families, "allsmi_host_up", of),
      0,
      "the frame before the outage is not shown again",
    );
  });
  test("of one device keeps its uuid, unless another device has it", () => {
    const lost = fullGpu({ uuid: null, name: null, error: "lost" });
    const other = fullGpu({ index: 1, uuid: "GPU-1" });
    const families = shown({ ...up, gpus: [lost, other] });
    assert.equal(valueOf(families, "allsmi_gpu_failed", { ...of, gpu: "0", uuid: "GPU-0" }), 1);
    assert.equal(valueOf(families, "allsmi_gpu_info", { ...of, gpu: "0", uuid: "GPU-0" }), undefined);
    const moved = shown({ ...up, gpus: [lost, { ...other, uuid: "GPU-0" }] });
    assert.equal(valueOf(moved, "allsmi_gpu_failed", { ...of, gpu: "0" }), 1);
  });
});

describe("hosts", () => {
  test("whose latest record is too old have no readings, and say so", () => {
    const fleet = new FleetState();
    fleet.absorb([frame({ hostname: "old", gpus: [gpu()] })], 1000);
    fleet.absorb([frame({ hostname: "new", gpus: [gpu()] })], 2000);
    const families = readExposition([...exposition(fleet.views(1500), "text")].join(""));
    assert.equal(valueOf(families, "allsmi_host_up", { host: "admin@old:22" }), 0);
    assert.equal(valueOf(families, "allsmi_host_up", { host: "admin@new:22" }), 1);
    assert.equal(families.get("allsmi_gpu_temperature_celsius")?.samples.size, 1);
  });
  test("are shown as they were when the exposition began, whatever comes while it is written", () => {
    const fleet = new FleetState();
    fleet.absorb([frame({ gpus: [gpu({ temperature: 50 })] })], 0);
    const pieces = exposition(fleet.views(null), "text");
    const first = String(pieces.next().value);
    fleet.absorb([state({ hostname: "dgx-01" })], 1);
    const families = readExposition([first, ...pieces].join(""));
    assert.equal(valueOf(families, "allsmi_gpu_temperature_celsius", GPU), 50);
    assert.equal(valueOf(families, "allsmi_host_ticks_total", { ...HOST, result: "none" }), 0);
  });
  test("without an answer in a run of one tick are counted as failures", () => {
    const families = familiesOf([state({ retry_in_ms: null })]);
    const labels = { host: "admin@dgx-02:22", code: "connect-timeout" };
    assert.equal(valueOf(families, "allsmi_host_failures_total", labels), 1);
  });
  test("of the same name, and GPUs of the same number and no uuid, have series of their own", () => {
    const gpus = [
      gpu({ uuid: null, tool: "nvidia-smi" }),
      gpu({ uuid: null, tool: "amd-smi", temperature: 1 }),
    ];
    const families = familiesOf([frame({ gpus }), frame({ host_id: "admin@dgx-01:2222", gpus })]);
    const { samples } = families.get("allsmi_gpu_temperature_celsius") ?? assert.fail();
    assert.deepEqual(
      [...samples.keys()],
      [
        "gpu=0,host=admin@dgx-01:22",
        "duplicate=2,gpu=0,host=admin@dgx-01:22",
        "gpu=0,host=admin@dgx-01:2222",
        "duplicate=2,gpu=0,host=admin@dgx-01:2222",
      ],
    );
  });
  test("with errors name their sections", () => {
    const errors: FrameRecord["errors"] = [
      { section: "gpu", kind: "timeout", message: "hung" },
      { section: "gpu", kind: "timeout", message: "hung", device: "3" },
    ];
    const families = familiesOf([frame({ errors, cpus: [] }), frame({ errors })]);
    assert.equal(valueOf(families, "allsmi_host_section_ok", { ...HOST, section: "gpu" }), 0);
    const labels = { ...HOST, section: "gpu", kind: "timeout" };
    assert.equal(valueOf(families, "allsmi_host_section_errors_total", labels), 4);
    assert.equal(valueOf(families, "allsmi_host_up", HOST), 1);
  });
  test("with events in the kernel log count them by kind, code and device", () => {
    const xid: NonNullable<FrameRecord["events"]>[number] = {
      ...{ host_id: "", hostname: "", instance: "", time: "", logged_at: null, message: "m", action: "a" },
      ...{ kind: "nvidia-xid", severity: "critical", code: 79, pci_bus_id: "0000:18:00", pid: null },
    };
    const events = [xid, xid, { ...xid, kind: "oom-kill" as const, code: null, pci_bus_id: null }];
    const families = familiesOf([frame({ events }), frame({ events: [] }), state({ hostname: "dgx-01" })]);
    const labels = { ...HOST, severity: "critical" };
    const name = "allsmi_host_kernel_events_total";
    const named = { ...labels, kind: "nvidia-xid", code: "79", pci_bus_id: "0000:18:00" };
    assert.equal(valueOf(families, name, named), 2);
    assert.equal(valueOf(families, name, { ...labels, kind: "oom-kill" }), 1);
    const many = Array.from({ length: 1000 }, (_, code) => ({ ...xid, code }));
    assert.equal(familiesOf([frame({ events: many })]).get(name)?.samples.size, 256);
  });
  test("with health have its status and their findings", () => {
    const finding = {
      rule: "gpu-failed",
      severity: "critical",
      device: "gpu 3",
      message: "m",
      action: "a",
    } as const;
    const of = { ...finding, since: "2026-01-02T03:04:05.678Z" };
    const findings = [of, of, { ...of, rule: "section-failed", device: null }];
    const families = familiesOf([frame({ health: { status: "critical", findings } })]);
    assert.equal(valueOf(families, "allsmi_host_health", { ...HOST, status: "critical" }), 1);
    assert.equal(valueOf(families, "allsmi_host_health", { ...HOST, status: "ok" }), 0);
    const labels = { ...HOST, severity: "critical" };
    const name = "allsmi_host_health_findings";
    assert.equal(valueOf(families, name, { ...labels, rule: "gpu-failed", device: "gpu 3" }), 2);
    assert.equal(valueOf(families, name, { ...labels, rule: "section-failed" }), 1);
  });
});

test("whatever a native or replayed device holds, the text stays an exposition", () => {
  const device = fc.dictionary(
    fc.constantFrom(
      ...Object.keys(fullGpu()),
      "error",
      "per_socket_info",
      "fan_speeds",
      ...["driver_versions", "pressure", "numa_nodes", "disks", "state"],
      "load_average",
      "name",
      "id",
    ),
    fc.anything({ withNullPrototype: true }),
  );
  const devices = fc.array(device, { maxLength: 4 });
  fc.assert(
    fc.property(devices, devices, devices, fc.string({ unit: "binary" }), (gpus, cpus, chassis, name) => {
      const record = frame({
        hostname: name,
        gpus,
        cpus,
        chassis,
        memory: cpus,
        storage: gpus,
        host: gpus,
        network: cpus,
      } as never);
      readExposition(textOf([record, state()]));
      readExposition(textOf([record, state()], "openmetrics"));
    }),
    { numRuns: propertyRuns(150) },
  );
});
