/**
 * Installs from Debian's packages what the tests need and this machine lacks: the real peers (OpenSSH, dropbear, Prometheus)
 * and the shells that hosts log in with; for `npm run nightly` (argument `nightly`) the programs that read what we print, too.
 * Where it cannot, it prints that, and the tests concerned are skipped with a reason.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

type Need = readonly [program: string, debianPackage: string];

const NEEDS: readonly Need[] = [
  ["sshd", "openssh-server"],
  ["ssh", "openssh-client"],
  ["dropbear", "dropbear-bin"],
  ["dbclient", "dropbear-bin"],
  ["busybox", "busybox-static"],
  ["ksh", "ksh"],
  ["zsh", "zsh"],
  ["fish", "fish"],
  ["tcsh", "tcsh"],
  ["ps", "procps"],
  ["lscpu", "util-linux"],
  ["unshare", "util-linux"],
  ["ip", "iproute2"],
  ["iptables", "iptables"],
  ["mandoc", "mandoc"],
  ["jq", "jq"],
  ["mlr", "miller"],
  ["tmux", "tmux"],
  ["prometheus", "prometheus"],
  ["promtool", "prometheus"],
  ["prometheus-node-exporter", "prometheus-node-exporter"],
];
const NIGHTLY_NEEDS: readonly Need[] = [
  ["nagios4", "nagios4-core"],
  ["icinga2", "icinga2-bin"],
  ["negate", "monitoring-plugins-basic"],
  ["logrotate", "logrotate"],
  ["curl", "curl"],
];
const needs = process.argv.includes("nightly") ? [...NEEDS, ...NIGHTLY_NEEDS] : NEEDS;

const folders = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/sbin",
  "/sbin",
  "/usr/lib/nagios/plugins",
];
const has = (program: string): boolean => folders.some((folder) => existsSync(join(folder, program)));
const missing = (): string[] => [
  ...new Set(needs.filter(([program]) => !has(program)).map(([, name]) => name)),
];

const wanted = missing();
if (wanted.length > 0 && has("apt-get")) {
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...command: string[]): boolean => {
    const [program = "", ...args] = [...sudo, ...command];
    return spawnSync(program, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
  };
  console.log(`installing ${wanted.join(" ")}`);
  run("apt-get", "update", "-qq");
  if (!run("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...wanted)) {
    for (const name of wanted) run("apt-get", "install", "-y", "-qq", "--no-install-recommends", name);
  }
}
const still = missing();
if (still.length > 0) console.log(`NOT INSTALLED: ${still.join(" ")}; the tests that need them are skipped`);
