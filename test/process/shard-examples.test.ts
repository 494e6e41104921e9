/** The files of examples/shards/ start the program as their first lines promise, and cover a fleet once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PROGRAM } from "../support/cli.js";
import { makeTempDir } from "../support/temp-dir.js";

const example = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../examples/shards/${name}`, import.meta.url)), "utf8");
const temp = makeTempDir("shards");
after(() => temp.remove());
const hostfile = join(temp.path, "hosts.txt");
writeFileSync(hostfile, "dgx-[001-030]\n");

/** As much of a Job or a Deployment as is checked. */
interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: { readonly runAsNonRoot?: boolean };
        readonly containers: readonly { readonly volumeMounts: readonly { readonly name: string }[] }[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}
const NO_RESOURCE: Resource = {
  apiVersion: "",
  kind: "",
  spec: { template: { spec: { securityContext: {}, containers: [], volumes: [] } } },
};

/** The hosts that a run with these arguments would watch. */
function plannedHosts(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  const here = args
    .filter((arg) => !/^--(ssh-key|ssh-known-hosts|output|once|format)/.test(arg))
    .map((arg) => arg.replace("/etc/allsmi/hosts.txt", hostfile));
  const run = spawnSync(process.execPath, [PROGRAM, ...here, "--dry-run", "--ssh-config", "none"], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  // These hosts have no key that is known.
  assert.equal(run.status, 3, run.stderr);
  return [...run.stdout.matchAll(/^(dgx-\d+) /gm)].map(([, host = ""]) => host);
}

const argsOf = (yaml: string): readonly string[] =>
  [...yaml.matchAll(/^ +- (--.*)$/gm)].map(([, arg = ""]) => arg);

function assertCoversOnce(parts: readonly (readonly string[])[]): void {
  assert.equal(parts.flat().length, 30);
  assert.equal(new Set(parts.flat()).size, 30);
  for (const part of parts) assert.ok(part.length > 0 && part.length < 30);
}

test("the YAML parses, each file as one resource with one container", (t) => {
  const files = ["kubernetes-job.yaml", "kubernetes-deployment.yaml"];
  const script =
    "import json, sys, yaml; print(json.dumps([list(yaml.safe_load_all(open(f))) for f in sys.argv[1:]]))";
  const paths = files.map((name) => fileURLToPath(new URL(`../../examples/shards/${name}`, import.meta.url)));
  const parsed = ["python3", "/usr/bin/python3"]
    .map((python) => spawnSync(python, ["-c", script, ...paths], { encoding: "utf8" }))
    .find(({ stderr, error }) => error === undefined && !stderr.includes("No module named 'yaml'"));
  if (parsed === undefined) {
    t.skip("SKIPPED LOUDLY: there is no python3 with yaml");
    return;
  }
  assert.equal(parsed.status, 0, parsed.stderr);
  const resources = JSON.parse(parsed.stdout) as readonly (readonly Resource[])[];
  assert.deepEqual(
    resources.map((inFile) => inFile.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)),
    [["batch/v1 Job"], ["apps/v1 Deployment"]],
  );
  for (const [{ spec } = NO_RESOURCE] of resources) {
    const { containers, volumes, securityContext } = spec.template.spec;
    assert.equal(securityContext.runAsNonRoot, true);
    const [container] = containers;
    assert.ok(container !== undefined && containers.length === 1);
    // Each mount has its volume.
    assert.deepEqual(
      container.volumeMounts.map(({ name }) => name),
      volumes.map(({ name }) => name),
    );
  }
});

test("the pods of the Indexed Job", () => {
  const yaml = example("kubernetes-job.yaml");
  const count = Number(/completions: (\d+)/.exec(yaml)?.[1]);
  const parts = Array.from({ length: count }, (_, index) =>
    plannedHosts(argsOf(yaml).map((arg) => arg.replace("$(JOB_COMPLETION_INDEX)", String(index)))),
  );
  assertCoversOnce(parts);
});

test("the Deployments", () => {
  const yaml = example("kubernetes-deployment.yaml");
  const [, name = "", count = ""] = /name: (ALLSMI_SSH_SHARD), value: "0\/(\d+)"/.exec(yaml) ?? [];
  const parts = Array.from({ length: Number(count) }, (_, index) =>
    plannedHosts(argsOf(yaml), { [name]: `${index}/${count}` }),
  );
  assertCoversOnce(parts);
});

test("the units of systemd, which are valid", () => {
  const unit = example("allsmi@.service");
  const command = /^ExecStart=\S+ (.*)$/m.exec(unit)?.[1] ?? "";
  const parts = ["0", "1", "2"].map((part) => {
    const args = command.replaceAll("%i", part).split(" ");
    const cut = args.flatMap((arg, at) =>
      ["--output", "--format"].includes(arg) || ["--output", "--format"].includes(args[at - 1] ?? "")
        ? []
        : [arg],
    );
    return plannedHosts(cut);
  });
  assertCoversOnce(parts);
  if (spawnSync("systemd-analyze", ["--version"]).error !== undefined) return;
  const file = join(temp.path, "allsmi@.service");
  writeFileSync(file, unit.replaceAll("/usr/local/bin/allsmi-ssh", "/bin/true"));
  const run = spawnSync("systemd-analyze", ["verify", "--man=no", `${temp.path}/allsmi@0.service`], {
    encoding: "utf8",
  });
  assert.doesNotMatch(run.stderr, /allsmi@/, run.stderr);
});

test("a part without a host is no failure, and is reported", () => {
  const run = spawnSync(
    process.execPath,
    [PROGRAM, "one", "--once", "--shard", "0/3", "--ssh-config", "none"],
    { encoding: "utf8" },
  );
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stderr, /warning: shard 0\/3 has no host; the list has 1/);
});
