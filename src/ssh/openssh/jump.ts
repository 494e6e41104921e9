/**
 * The way through jump hosts for the system's `ssh` where their config makes each a control master: ProxyJump would start
 * masters that outlive us, so the same commands are written out, with masters that are only ridden on.
 */
import { quoteValue } from "../plan/fix-command.js";
import type { HostPlan } from "../plan/plan.js";

/** A ProxyCommand to the plan's host in the place of its ProxyJump; null where ssh may take its own way. */
export function jumpWithoutMasters(plan: HostPlan, configFile: string | null): string | null {
  if (plan.way.kind !== "jump" || !startsMasters(plan.way.hop)) return null;
  return commandThrough(plan.way.hop, configFile);
}

function startsMasters(hop: HostPlan): boolean {
  return hop.config.startsMaster === true || (hop.way.kind === "jump" && startsMasters(hop.way.hop));
}

/** As ssh composes it for ProxyJump (main() in ssh.c). Its percent signs are for the ssh that runs it. */
function commandThrough(hop: HostPlan, configFile: string | null): string {
  const { controlPath, originalHost } = hop.config;
  const args = [
    ...(configFile === null ? [] : ["-F", configFile]),
    ...["-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ControlPersist=no"],
    ...["-o", `ControlPath=${controlPath === undefined ? "none" : quoteValue(controlPath)}`],
    ...["-l", hop.user, "-p", String(hop.port)],
  ];
  if (hop.way.kind === "jump") args.push("-o", `ProxyCommand=${commandThrough(hop.way.hop, configFile)}`);
  const words = args.map((arg) => shellWord(arg.replaceAll("%", "%%")));
  return ["ssh", ...words, "-W", "'[%h]:%p'", "--", shellWord(originalHost.replaceAll("%", "%%"))].join(" ");
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
