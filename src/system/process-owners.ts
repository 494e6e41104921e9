/**
 * Who a process belongs to, from its control group: a container, a pod, a Slurm job, a systemd unit. The kernel shows
 * /proc/PID/cgroup to every user (cgroups(7), "/proc files").
 */
import type { Process } from "../contract/record.js";
import { cleanText } from "../lib/text.js";

export type ProcessOwner = Required<
  Pick<
    Process,
    | "container_id"
    | "container_runtime"
    | "pod_uid"
    | "pod_name"
    | "pod_namespace"
    | "slurm_job_id"
    | "slurm_step"
    | "systemd_unit"
  >
>;

/** Begins the control groups in the output of `ps`, and the names of pods after them. No row of `ps` can be this line. */
export const CGROUPS_MARK = "@cgroups";
const PODS_MARK = "@pods";

/**
 * sh commands: a line `/proc/PID/cgroup:N:CONTROLLERS:PATH` for each process outside the root group, then the folders in
 * which the kubelet keeps logs, whose names are NAMESPACE_POD_UID. Of version 1 only the hierarchies that Slurm,
 * containers and systemd use. `b` runs a program with a deadline.
 */
export const OWNERS_COMMAND =
  `echo ${CGROUPS_MARK}; b grep -s -E "^[0-9]+:(|name=systemd|freezer|devices):/." /dev/null /proc/[0-9]*/cgroup; ` +
  `echo ${PODS_MARK}; echo /var/log/pods/*`;

/** Of a process in the root group. */
export const NO_OWNER: ProcessOwner = {
  container_id: null,
  container_runtime: null,
  pod_uid: null,
  pod_name: null,
  pod_namespace: null,
  slurm_job_id: null,
  slurm_step: null,
  systemd_unit: null,
};

/** `stdout`: of OWNERS_COMMAND, without the first mark. Processes in the root group have no owner and no entry. */
export function parseOwners(stdout: string): ReadonlyMap<number, ProcessOwner> {
  const [groups = "", pods = ""] = stdout.split(`\n${PODS_MARK}\n`, 2);
  const names = podNames(pods);
  const owners = new Map<number, ProcessOwner>();
  for (const line of groups.split("\n")) {
    const match = /^\/proc\/(\d{1,10})\/cgroup:\d+:[^:]*:(\/.*)$/.exec(line);
    if (match === null) continue;
    const pid = Number(match[1]);
    const found = ownerIn(cleanText(match[2] ?? ""));
    owners.set(pid, named(joined(owners.get(pid) ?? NO_OWNER, found), names));
  }
  return owners;
}

/** Of several hierarchies (version 1) each may know a part. */
function joined(known: ProcessOwner, found: ProcessOwner): ProcessOwner {
  const more = Object.entries(found).filter(([, value]) => value !== null);
  return { ...known, ...Object.fromEntries(more) };
}

// ---- the path of a group

/** Container engines write their ids as 64 hexadecimal digits. */
const ID = "[0-9a-f]{64}";
/** `docker-ID.scope` and the like, as the systemd drivers of container engines name their units. */
const SCOPE = new RegExp(`^(docker|libpod|crio|cri-containerd|nerdctl|buildkit)-(${ID})(?:\\.scope)?$`);
const BARE_ID = new RegExp(`^${ID}$`);
const RUNTIMES: Readonly<Record<string, string>> = {
  docker: "docker",
  libpod: "podman",
  crio: "cri-o",
  "cri-containerd": "containerd",
  nerdctl: "containerd",
  buildkit: "buildkit",
};
/** Kubernetes, by either driver: `kubepods-burstable-podUID.slice` with `_` for `-`, or `podUID`. */
const POD =
  /^(?:kubepods[a-z-]*-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
/** lxc.container.conf(5), lxc.cgroup.dir; machinectl's `machine-NAME.scope` is a container or a virtual machine. */
const LXC = /^lxc(?:\.payload)?[./]([^/]+)(?:\/|$)/;
const NSPAWN = /^systemd-nspawn@(.+)\.service$/;
/** Slurm's cgroup plugins: `job_7/step_0/...`, below `slurm/uid_N` (version 1) or `slurmstepd.scope` (version 2). */
const SLURM = /\/(?:[^/]*slurm[^/]*)(?:\/uid_\d+)?\/job_(\d{1,10})(?:\/step_([^/]{1,32}))?/;
const UNIT = /^(?!machine-qemu).+\.(?:service|scope)$/;

/** Of groups in one another the innermost counts. */
function ownerIn(path: string): ProcessOwner {
  const parts = path.split("/").filter((part) => part !== "");
  const owner: { -readonly [Key in keyof ProcessOwner]: ProcessOwner[Key] } = { ...NO_OWNER };
  for (const [position, part] of parts.entries()) {
    const scope = SCOPE.exec(part);
    const pod = POD.exec(part);
    const nspawn = NSPAWN.exec(part);
    if (pod !== null) owner.pod_uid = (pod[1] ?? "").replaceAll("_", "-");
    else if (scope !== null) {
      owner.container_id = scope[2] ?? null;
      owner.container_runtime = RUNTIMES[scope[1] ?? ""] ?? null;
    } else if (BARE_ID.test(part)) {
      owner.container_id = part;
      owner.container_runtime = parts[position - 1] === "docker" ? "docker" : null;
    } else if (nspawn !== null) {
      owner.container_id = unescaped(nspawn[1] ?? "");
      owner.container_runtime = "systemd-nspawn";
    } else if (UNIT.test(part)) owner.systemd_unit = unescaped(part);
  }
  const lxc = LXC.exec(parts.join("/"))?.[1];
  if (lxc !== undefined) Object.assign(owner, { container_id: lxc, container_runtime: "lxc" });
  const slurm = SLURM.exec(path);
  if (slurm !== null) {
    owner.slurm_job_id = Number(slurm[1]);
    owner.slurm_step = slurm[2] ?? null;
  }
  return owner;
}

/** systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
function unescaped(unit: string): string {
  return cleanText(
    unit.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
  );
}

// ---- pods

interface PodName {
  readonly name: string;
  readonly namespace: string;
}

/** By uid. Neither a namespace nor the name of a pod has an underscore (RFC 1123 labels). */
function podNames(folders: string): ReadonlyMap<string, PodName> {
  const names = new Map<string, PodName>();
  for (const folder of folders.split(/\s+/)) {
    const match = /^\/var\/log\/pods\/([a-z0-9.-]+)_([a-z0-9.-]+)_([0-9a-f-]{32,36})$/.exec(folder);
    if (match !== null) names.set(match[3] ?? "", { namespace: match[1] ?? "", name: match[2] ?? "" });
  }
  return names;
}

function named(owner: ProcessOwner, names: ReadonlyMap<string, PodName>): ProcessOwner {
  const pod = owner.pod_uid === null ? undefined : names.get(owner.pod_uid);
  return pod === undefined ? owner : { ...owner, pod_name: pod.name, pod_namespace: pod.namespace };
}
