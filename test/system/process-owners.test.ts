import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  CGROUPS_MARK,
  NO_OWNER,
  OWNERS_COMMAND,
  parseOwners,
  type ProcessOwner,
} from "../../src/system/process-owners.js";
import { cleanText } from "../../src/lib/text.js";

const ID = "0123456789abcdef".repeat(4);
const UID = "8d2f6c1e-0b7a-4c55-9d3e-1f2a3b4c5d6e";
const UNDERSCORED = UID.replaceAll("-", "_");

function ownerOf(paths: readonly string[], pods = ""): ProcessOwner | undefined {
  const lines = paths.map((path) => `/proc/7/cgroup:${path}`);
  return parseOwners(`${lines.join("\n")}\n@pods\n${pods}\n`).get(7);
}

interface Case {
  readonly what: string;
  readonly groups: readonly string[];
  readonly owner: Partial<ProcessOwner>;
}

/** Paths as the programs' documentation and sources have them. */
const CASES: readonly Case[] = [
  {
    what: "Docker, systemd driver",
    groups: [`0::/system.slice/docker-${ID}.scope`],
    owner: { container_id: ID, container_runtime: "docker" },
  },
  {
    what: "Docker, cgroupfs driver, version 1",
    groups: [`9:devices:/docker/${ID}`, `1:name=systemd:/docker/${ID}`],
    owner: { container_id: ID, container_runtime: "docker" },
  },
  {
    what: "rootless Podman",
    groups: [`0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`],
    owner: { container_id: ID, container_runtime: "podman", systemd_unit: "user@1000.service" },
  },
  {
    what: "Podman's monitor is in no container",
    groups: [`0::/machine.slice/libpod-conmon-${ID}.scope`],
    owner: { systemd_unit: `libpod-conmon-${ID}.scope` },
  },
  {
    what: "Kubernetes with containerd, systemd driver",
    groups: [
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    ],
    owner: { container_id: ID, container_runtime: "containerd", pod_uid: UID },
  },
  {
    what: "Kubernetes with CRI-O, guaranteed",
    groups: [`0::/kubepods.slice/kubepods-pod${UNDERSCORED}.slice/crio-${ID}.scope`],
    owner: { container_id: ID, container_runtime: "cri-o", pod_uid: UID },
  },
  {
    what: "Kubernetes, cgroupfs driver, inside a Docker container (kind)",
    groups: [`0::/docker/${"f".repeat(64)}/kubelet/kubepods/besteffort/pod${UID}/${ID}`],
    owner: { container_id: ID, container_runtime: null, pod_uid: UID },
  },
  {
    what: "containerd's own client",
    groups: [`0::/default/${ID}`],
    owner: { container_id: ID },
  },
  {
    what: "LXC",
    groups: ["0::/lxc.payload.train-01/system.slice/ssh.service"],
    owner: { container_id: "train-01", container_runtime: "lxc", systemd_unit: "ssh.service" },
  },
  {
    what: "LXC, version 1",
    groups: ["4:devices:/lxc/train-01"],
    owner: { container_id: "train-01", container_runtime: "lxc" },
  },
  {
    what: "systemd-nspawn",
    groups: ["0::/machine.slice/systemd-nspawn@build\\x2d1.service/payload"],
    owner: { container_id: "build-1", container_runtime: "systemd-nspawn" },
  },
  {
    what: "a Slurm step, version 2",
    groups: ["0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_3"],
    owner: { slurm_job_id: 4711, slurm_step: "0", systemd_unit: "slurmstepd.scope" },
  },
  {
    what: "Slurm's batch script, version 1, with the unit from another hierarchy",
    groups: ["11:freezer:/slurm/uid_1000/job_4711/step_batch", "1:name=systemd:/system.slice/slurmd.service"],
    owner: { slurm_job_id: 4711, slurm_step: "batch", systemd_unit: "slurmd.service" },
  },
  {
    what: "several slurmd on a host",
    groups: ["0::/system.slice/node3_slurmstepd.scope/job_9/step_extern/user/task_special"],
    owner: { slurm_job_id: 9, slurm_step: "extern", systemd_unit: "node3_slurmstepd.scope" },
  },
  {
    what: "a login session",
    groups: ["0::/user.slice/user-1000.slice/session-3.scope"],
    owner: { systemd_unit: "session-3.scope" },
  },
  {
    what: "a service within a user's manager",
    groups: ["0::/user.slice/user-1000.slice/user@1000.service/app.slice/jupyter\\x40lab.service"],
    owner: { systemd_unit: "jupyter@lab.service" },
  },
  {
    what: "a folder that only looks like a job",
    groups: ["0::/mnt/job_7/step_0"],
    owner: {},
  },
  {
    what: "a group with a colon in its name",
    groups: ["0::/system.slice/a:b.service"],
    owner: { systemd_unit: "a:b.service" },
  },
];

describe("the owner in a control group", () => {
  for (const { what, groups, owner } of CASES)
    test(what, () => assert.deepEqual(ownerOf(groups), { ...NO_OWNER, ...owner }));

  test("a pod has its name where the kubelet's logs show it", () => {
    const group = `0::/kubepods/burstable/pod${UID}/${ID}`;
    const logs = `/var/log/pods/ml_train-7c9d_${UID} /var/log/pods/kube-system_etcd_${"a".repeat(32)}`;
    assert.deepEqual(ownerOf([group], logs), {
      ...NO_OWNER,
      container_id: ID,
      pod_uid: UID,
      pod_name: "train-7c9d",
      pod_namespace: "ml",
    });
    assert.equal(ownerOf([group], "/var/log/pods/*")?.pod_name, null);
    assert.equal(ownerOf([group])?.pod_name, null);
  });

  test("lines of other files, and a line that was cut off, are nothing", () => {
    assert.equal(parseOwners("/proc/x/cgroup:0::/a.service\n/proc/7/cgroup:0:").size, 0);
    assert.equal(parseOwners("").size, 0);
  });
});

test("any text: clean strings, and nothing that the text does not hold", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom(`docker-${ID}.scope`, ID, `pod${UID}`, "job_1", "slurm", "step_2", "a.service", "lxc"),
  );
  const path = fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(path, fc.string({ unit: "binary", maxLength: 80 }), (group, pods) => {
      for (const owner of parseOwners(`/proc/7/cgroup:0::${group}\n@pods\n${pods}`).values()) {
        for (const value of Object.values(owner)) {
          if (typeof value === "number") assert.ok(group.includes(`job_${value}`) || /job_0/.test(group));
          else if (value !== null) assert.equal(cleanText(value), value);
        }
        if (owner.container_runtime !== null) assert.notEqual(owner.container_id, null);
        if (owner.pod_name !== null) assert.ok(owner.pod_uid !== null && pods.includes(owner.pod_name));
        if (owner.slurm_step !== null) assert.notEqual(owner.slurm_job_id, null);
      }
    }),
  );
});

/** A control group of this machine, where tests may make one: version 1's devices, or version 2. */
const ROOTS = ["/sys/fs/cgroup/devices", "/sys/fs/cgroup"].filter((dir) =>
  existsSync(join(dir, "cgroup.procs")),
);

test("a real process in a real group, as the command reads it in sh", (t) => {
  const base = ROOTS[0] === undefined ? "" : join(ROOTS[0], `slurm_test${process.pid}`);
  const group = join(base, "uid_0/job_42/step_batch");
  try {
    if (base === "") throw new Error("no control groups are mounted");
    mkdirSync(group, { recursive: true });
  } catch (error) {
    t.skip(`SKIPPED LOUDLY: a control group cannot be made: ${String(error)}`);
    return;
  }
  const child = spawn("sleep", ["30"], { stdio: "ignore" });
  try {
    writeFileSync(join(group, "cgroup.procs"), String(child.pid));
    const shown = execFileSync("sh", ["-c", `b() { "$@"; }; ${OWNERS_COMMAND}`], { encoding: "utf8" });
    const [, groups = ""] = `\n${shown}`.split(`\n${CGROUPS_MARK}\n`);
    const owner = parseOwners(groups).get(child.pid ?? 0);
    assert.equal(owner?.slurm_job_id, 42);
    assert.equal(owner.slurm_step, "batch");
  } finally {
    child.kill("SIGKILL");
    // The group can be removed once the kernel has taken the process away.
    for (let attempt = 0; attempt < 100 && existsSync(base); attempt++) {
      for (const dir of ["uid_0/job_42/step_batch", "uid_0/job_42", "uid_0", ""])
        spawnSync("rmdir", [join(base, dir)]);
    }
  }
});
