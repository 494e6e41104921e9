/** The recipes in examples/checks, each run as its system runs it. The real Nagios and Icinga where they are installed. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PROGRAM } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { waitFor } from "../support/processes.js";
import { missing, sshArgs, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const CHECKS = fileURLToPath(new URL("../../examples/checks", import.meta.url));
const skip = missing === null ? false : `SKIPPED LOUDLY: ${missing}`;
const onPath = (program: string): string | undefined =>
  [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]
    .map((dir) => join(dir, program))
    .find((path) => existsSync(path));
const needs = (program: string): string | false =>
  skip !== false
    ? skip
    : onPath(program) === undefined
      ? `SKIPPED LOUDLY: ${program} is not installed`
      : false;

const temp = makeTempDir("check-recipes");
/** Programs that a recipe finds first: ours, and stand-ins for scontrol and the like. */
const bin = join(temp.path, "bin");
let sshd: Sshd;
let target = "";

const FAKE = fakeNvidiaSmi({
  columns: ["index", "uuid", "name", "temperature.gpu", "gpu_recovery_action"],
  rows: ["0, GPU-1, A100, 50, $(cat $HOME/action)", "1, GPU-2, A100, 50, None"],
});

function recoveryAction(text: string): void {
  writeFileSync(join(sshd.home, "action"), `${text}\n`);
}

before(async () => {
  if (skip !== false) return;
  sshd = await startSshd({
    bin: makeTools(join(temp.path, "remote"), { "nvidia-smi": FAKE }),
    shell: "/bin/sh",
  });
  target = `${sshd.user}@127.0.0.1:${sshd.port}`;
  mkdirSync(bin);
  // A recipe has its own --ssh; a known_hosts file, a key and no ssh_config come from here.
  const [, , ...flags] = sshArgs(sshd);
  const own = flags.map((flag) => `'${flag}'`).join(" ");
  const body = `exec '${process.execPath}' '${PROGRAM}' "$@" --include gpu ${own}`;
  writeFileSync(join(bin, "allsmi-ssh"), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, "allsmi-ssh"), 0o755);
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

const ENV = { PATH: `${bin}:/usr/bin:/bin`, HOME: temp.path };
const recipe = (name: string): string => readFileSync(join(CHECKS, name), "utf8");
function sh(script: string, env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
  return spawnSync("bash", ["-c", script], { env: { ...ENV, ...env }, encoding: "utf8", timeout: 60_000 });
}

const HEALTHY = "None";
const SICK = "Reboot";

describe("Nagios", { skip: needs("nagios4") }, () => {
  test("takes the command and the service, runs the check and keeps text, details and performance data", async () => {
    recoveryAction(SICK);
    const dir = join(temp.path, "nagios");
    mkdirSync(join(dir, "results"), { recursive: true });
    const objects = recipe("nagios.cfg").replaceAll("/usr/local/bin/allsmi-ssh", join(bin, "allsmi-ssh"));
    writeFileSync(join(dir, "allsmi.cfg"), objects);
    writeFileSync(
      join(dir, "site.cfg"),
      `define timeperiod {
 timeperiod_name 24x7
 alias always
 sunday 00:00-24:00
 monday 00:00-24:00
 tuesday 00:00-24:00
 wednesday 00:00-24:00
 thursday 00:00-24:00
 friday 00:00-24:00
 saturday 00:00-24:00
}
define command {
 command_name none
 command_line /bin/true
}
define contact {
 contact_name ops
 host_notification_commands none
 service_notification_commands none
 host_notification_period 24x7
 service_notification_period 24x7
}
define host {
 host_name dgx-01
 address ${target}
 check_command none
 max_check_attempts 1
 check_period 24x7
 contacts ops
}
define service {
 use gpu-health
 host_name dgx-01
 check_command check_allsmi!2
 check_interval 0.05
 contacts ops
}
`,
    );
    const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
    const file = (name: string): string => join(dir, name);
    writeFileSync(
      file("nagios.cfg"),
      [
        `cfg_file=${file("allsmi.cfg")}`,
        `cfg_file=${file("site.cfg")}`,
        `log_file=${file("nagios.log")}`,
        `object_cache_file=${file("objects.cache")}`,
        `status_file=${file("status.dat")}`,
        `lock_file=${file("nagios.lock")}`,
        `temp_file=${file("temp")}`,
        `temp_path=${dir}`,
        `check_result_path=${file("results")}`,
        `command_file=${file("command")}`,
        `query_socket=${file("query")}`,
        `state_retention_file=${file("retention.dat")}`,
        `nagios_user=${user}`,
        `nagios_group=${execFileSync("id", ["-gn"], { encoding: "utf8" }).trim()}`,
        "status_update_interval=1",
        "check_for_updates=0",
        "check_workers=1",
        "execute_host_checks=0",
        "max_service_check_spread=1",
        "service_inter_check_delay_method=n",
        "interval_length=60",
      ].join("\n"),
    );
    const nagios = onPath("nagios4") ?? "";
    const verified = spawnSync(nagios, ["-v", file("nagios.cfg")], { encoding: "utf8" });
    assert.equal(verified.status, 0, verified.stdout);
    const child = spawn(nagios, [file("nagios.cfg")], { stdio: "ignore" });
    try {
      const status = (): string =>
        existsSync(file("status.dat")) ? readFileSync(file("status.dat"), "utf8") : "";
      await waitFor("a check of Nagios", () => /plugin_output=ALLSMI/.test(status()), 40_000);
      const service = /servicestatus \{[^}]*plugin_output=ALLSMI[^}]*\}/.exec(status())?.[0] ?? "";
      assert.match(service, /^\tcurrent_state=2$/m);
      assert.match(service, /^\tplugin_output=ALLSMI CRITICAL - 0 of 1 hosts ok, 2 GPUs: .*Reboot/m);
      assert.match(service, /^\tlong_plugin_output=CRITICAL .* gpu 0: recovery action: Reboot/m);
      assert.match(service, /^\tperformance_data=hosts_ok=0;;;0;1 .*gpu0_temperature=50;;;0/m);
    } finally {
      child.kill("SIGTERM");
    }
  });
});

test("Icinga 2 takes the command and the service", { skip: needs("icinga2") }, () => {
  const file = join(temp.path, "icinga2.conf");
  const host = `object Host "dgx-01" {\n check_command = "dummy"\n address = "${target}"\n vars.gpus = 2\n}\n`;
  const dummy = `object CheckCommand "dummy" {\n command = [ "/bin/true" ]\n}\n`;
  writeFileSync(file, `${dummy}${host}${recipe("icinga2.conf")}`);
  const dirs = ["DataDir", "CacheDir", "LogDir", "InitRunDir", "SpoolDir"].flatMap((name) => [
    `-D${name}=${temp.path}`,
  ]);
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const args = ["daemon", "-C", "-c", file, ...dirs, `-DRunAsUser=${user}`, `-DRunAsGroup=${user}`];
  const run = spawnSync(onPath("icinga2") ?? "", args, { encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /1 Service\b/);
});

test(
  "Monitoring Plugins' negate takes the output and the code",
  {
    skip:
      skip !== false
        ? skip
        : existsSync("/usr/lib/nagios/plugins/negate")
          ? false
          : "SKIPPED LOUDLY: monitoring-plugins is not installed",
  },
  () => {
    recoveryAction(SICK);
    const run = spawnSync(
      "/usr/lib/nagios/plugins/negate",
      ["-s", "-c", "WARNING", join(bin, "allsmi-ssh"), "--check", "--ssh", target],
      { env: ENV, encoding: "utf8" },
    );
    assert.equal(run.status, 1, run.stdout + run.stderr);
    assert.match(run.stdout, /^ALLSMI WARNING - 0 of 1 hosts ok/);
  },
);

describe("NHC", { skip }, () => {
  // What nhc itself does: defines die and log, reads the check files, calls the check.
  const nhc = (call: string): SpawnSyncReturns<string> =>
    sh(`die() { echo "die $1: $2"; return 1; }; log() { echo "log: $1"; }
      HOSTNAME_S='${target}'; . '${join(CHECKS, "allsmi.nhc")}'; ${call}`);
  const cases: readonly [string, string, string, number, RegExp][] = [
    ["a healthy node", HEALTHY, "check_allsmi", 0, /^$/],
    ["a sick node", SICK, "check_allsmi", 1, /^die 1: check_allsmi: ALLSMI CRITICAL - .*Reboot/],
    ["a node without SSH", HEALTHY, "check_allsmi a@127.0.0.1:1", 1, /^die 1: .*refused/],
    ["flags", HEALTHY, `check_allsmi '${target}' --expect gpus=3`, 1, /^die 1: .*2 GPUs work, 3 expected/],
    [
      "a check that cannot be made",
      HEALTHY,
      `check_allsmi '${target}' --no-such`,
      0,
      /^log: check_allsmi: ALLSMI UNKNOWN/,
    ],
  ];
  for (const [what, action, call, code, stdout] of cases) {
    test(what, () => {
      recoveryAction(action);
      const run = nhc(call);
      assert.equal(run.status, code, run.stdout + run.stderr);
      assert.match(run.stdout, stdout);
    });
  }
});

describe("Slurm", { skip }, () => {
  const slurm = (args: string): SpawnSyncReturns<string> => {
    writeFileSync(join(bin, "scontrol"), `#!/bin/sh\nprintf '%s\\n' "$@"\n`);
    writeFileSync(join(bin, "hostname"), `#!/bin/sh\necho '${target}'\n`);
    for (const name of ["scontrol", "hostname"]) chmodSync(join(bin, name), 0o755);
    // Slurm ends a HealthCheckProgram after 60 s.
    return sh(`timeout 60 '${join(CHECKS, "slurm-health-check.sh")}' ${args}`);
  };
  test("a healthy node is not touched", () => {
    recoveryAction(HEALTHY);
    const run = slurm("");
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, "", ""]);
  });
  test("a sick node is drained with its reason", () => {
    recoveryAction(SICK);
    const run = slurm("");
    const [command, node, state, reason] = run.stdout.split("\n");
    assert.deepEqual([command, node, state], ["update", `NodeName=${target}`, "State=DRAIN"], run.stderr);
    assert.match(
      reason ?? "",
      /^Reason=allsmi: CRITICAL - 0 of 1 hosts ok, 2 GPUs: .*recovery action: Reboot/,
    );
  });
  test("of several nodes only the sick one is drained, and a check that cannot be made drains none", () => {
    recoveryAction(HEALTHY);
    const run = slurm(`'${target}' a@127.0.0.1:1`);
    assert.match(run.stdout, /^NodeName=a@127\.0\.0\.1:1$/m);
    assert.doesNotMatch(run.stdout, new RegExp(`^NodeName=${target}$`, "m"));
    const wrong = slurm(`'${target}' -- --no-such`);
    assert.equal(wrong.stdout, "");
    assert.match(wrong.stderr, /ALLSMI UNKNOWN/);
  });
});

/** The lines of a YAML block scalar, or of a list, below a key. */
function blockBelow(text: string, key: string): readonly string[] {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.trim().startsWith(key));
  assert.notEqual(at, -1, key);
  const depth = (line: string): number => line.length - line.trimStart().length;
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => line.trim() !== "" && depth(line) <= depth(lines[at] ?? ""));
  const block = end < 0 ? below : below.slice(0, end);
  const [first = ""] = block;
  return block.map((line) => line.slice(depth(first)));
}

describe("continuous integration", { skip }, () => {
  const prepare = (action: string): Readonly<Record<string, string>> => {
    recoveryAction(action);
    const dir = join(temp.path, "job");
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "hosts.txt"), `${target}\n`);
    writeFileSync(join(dir, "summary"), "");
    const key = readFileSync(sshd.userKey.file, "utf8").trimEnd();
    const known = readFileSync(sshd.knownHostsFile, "utf8").trimEnd();
    return { RUNNER_TEMP: dir, GITHUB_STEP_SUMMARY: join(dir, "summary"), SSH_KEY: key, KNOWN_HOSTS: known };
  };
  // The recipe has its own key and known_hosts; the program itself, without the flags of the other recipes.
  const plain = (): string => {
    const dir = join(temp.path, "plain");
    mkdirSync(dir, { recursive: true });
    const program = join(dir, "allsmi-ssh");
    writeFileSync(
      program,
      `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@" --include gpu --ssh-config none\n`,
    );
    chmodSync(program, 0o755);
    return `${dir}:/usr/bin:/bin`;
  };
  for (const [action, code, stdout] of [
    [HEALTHY, 0, /^$/],
    [SICK, 1, /^::error::ALLSMI CRITICAL - /],
  ] as const) {
    test(`GitHub Actions: ${action}`, () => {
      const env = prepare(action);
      const script = blockBelow(recipe("github-actions.yml"), "run: |").join("\n");
      const run = sh(`cd "$RUNNER_TEMP"; set -eo pipefail; ${script}`, { ...env, PATH: plain() });
      assert.equal(run.status, code, run.stdout + run.stderr);
      assert.match(run.stdout, stdout);
      assert.match(readFileSync(join(temp.path, "job", "summary"), "utf8"), /^ALLSMI (OK|CRITICAL) - /);
    });
  }
  for (const [action, code] of [
    [HEALTHY, 0],
    [SICK, 2],
  ] as const) {
    test(`GitLab: ${action}`, () => {
      const env = prepare(action);
      const files = { SSH_KEY: join(temp.path, "job", "key"), KNOWN_HOSTS: sshd.knownHostsFile };
      writeFileSync(files.SSH_KEY, `${env["SSH_KEY"]}\n`);
      const lines = blockBelow(recipe("gitlab-ci.yml"), "script:").map((line) => line.replace(/^- /, ""));
      const run = sh(`cd '${join(temp.path, "job")}'; set -e; ${lines.join("\n")}`, {
        ...files,
        PATH: plain(),
      });
      assert.equal(run.status, code, run.stdout + run.stderr);
      assert.match(recipe("gitlab-ci.yml"), /exit_codes: 1$/m);
    });
  }
});

describe("cron and systemd", { skip }, () => {
  const onHosts = (text: string): string => {
    const file = join(temp.path, "hosts.txt");
    writeFileSync(file, `${target}\n`);
    return text
      .replaceAll("/etc/allsmi/hosts.txt", file)
      .replaceAll("/usr/local/bin/allsmi-ssh", "allsmi-ssh");
  };
  for (const [action, stdout] of [
    [HEALTHY, /^$/],
    [SICK, /^ALLSMI CRITICAL - .*\nCRITICAL .*Reboot/],
  ] as const) {
    test(`cron mails only what is wrong: ${action}`, () => {
      recoveryAction(action);
      const line = recipe("crontab").trimEnd().split("\n").at(-1) ?? "";
      const command = onHosts(line).split(" ").slice(6).join(" ");
      // cron's environment, and /bin/sh.
      const env = { HOME: temp.path, LOGNAME: "watch", SHELL: "/bin/sh", PATH: `${bin}:/usr/bin:/bin` };
      const run = spawnSync("/bin/sh", ["-c", command], { env, encoding: "utf8" });
      assert.match(run.stdout + run.stderr, stdout);
    });
  }
  test("systemd: the unit's command fails for a sick fleet; the units are valid", () => {
    const command = /^ExecStart=(.*)$/m.exec(recipe("allsmi-check.service"))?.[1] ?? "";
    for (const [action, code] of [
      [HEALTHY, 0],
      [SICK, 2],
    ] as const) {
      recoveryAction(action);
      assert.equal(sh(onHosts(command)).status, code);
    }
    if (onPath("systemd-analyze") === undefined) return;
    const units = ["allsmi-check.service", "allsmi-check.timer"].map((name) => {
      const file = join(temp.path, name);
      writeFileSync(file, recipe(name).replaceAll("/usr/local/bin/allsmi-ssh", join(bin, "allsmi-ssh")));
      return file;
    });
    const run = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" });
    assert.doesNotMatch(run.stderr, /allsmi-check/, run.stderr);
  });
});
