/**
 * Control masters: logins that are kept open for other `ssh` processes to use (ControlMaster in ssh_config(5)). A live one
 * is used; none is ever started, for it would outlive us.
 */
import { connect } from "node:net";
import type { Clock } from "../../lib/clock.js";
import { quoteValue } from "../plan/fix-command.js";
import { planLabel, type HostPlan } from "../plan/plan.js";

/** A master answers at once; one that is stopped never does. */
const ANSWER_TIMEOUT_MS = 1_000;

/** PROTOCOL.mux, 1: the first message of either side is its hello, here with version 4 and no extension. */
const MUX_MSG_HELLO = 1;
const OUR_HELLO = Buffer.from([0, 0, 0, 8, 0, 0, 0, MUX_MSG_HELLO, 0, 0, 0, 4]);

/** Why the system's `ssh` is needed: a live master of the host, or of a jump host on its way. Null: there is none. */
export async function liveMaster(plan: HostPlan, clock: Clock): Promise<string | null> {
  const { controlPath } = plan.config;
  if (controlPath !== undefined && (await answersAsMaster(controlPath, clock))) {
    return `the live ControlMaster at ${controlPath}`;
  }
  if (plan.way.kind !== "jump") return null;
  const { hop } = plan.way;
  const why = await liveMaster(hop, clock);
  return why === null ? null : `jump host ${planLabel(hop)}: ${why}`;
}

/** Whether a control master answers on the socket; false for a stale socket, another program and a hung master. */
export function answersAsMaster(path: string, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let answer = Buffer.alloc(0);
    const timer = clock.after(ANSWER_TIMEOUT_MS, () => settle(false));
    const settle = (isMaster: boolean): void => {
      timer.cancel();
      socket.destroy();
      resolve(isMaster);
    };
    socket.on("error", () => settle(false));
    socket.on("close", () => settle(false));
    socket.on("connect", () => socket.write(OUR_HELLO));
    socket.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 8) settle(answer.readUInt32BE(4) === MUX_MSG_HELLO);
    });
  });
}

/**
 * A ProxyCommand to the plan's host in place of its ProxyJump, where the config makes a jump host a control master:
 * ProxyJump would start masters, so the same commands are written out with `ControlMaster=no`. Null: ssh may use its own
 * ProxyJump.
 */
export function jumpWithoutMasters(plan: HostPlan, configFile: string | null): string | null {
  if (plan.way.kind !== "jump" || !startsMasters(plan.way.hop)) return null;
  return commandThrough(plan.way.hop, configFile);
}

function startsMasters(hop: HostPlan): boolean {
  return hop.config.startsMaster === true || (hop.way.kind === "jump" && startsMasters(hop.way.hop));
}

/** As ssh composes it for ProxyJump (main() in ssh.c). Its percent signs are expanded by the ssh that runs it. */
function commandThrough(hop: HostPlan, configFile: string | null): string {
  const { controlPath, originalHost } = hop.config;
  const args = [
    ...(configFile === null ? [] : ["-F", configFile]),
    ...["-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ControlPersist=no"],
    ...["-o", `ControlPath=${controlPath === undefined ? "none" : quoteValue(controlPath)}`],
    ...["-l", hop.user, "-p", String(hop.port)],
  ];
  if (hop.way.kind === "jump") args.push("-o", `ProxyCommand=${commandThrough(hop.way.hop, configFile)}`);
  const quoted = args.map((arg) => shellWord(arg.replaceAll("%", "%%")));
  return ["ssh", ...quoted, "-W", "'[%h]:%p'", "--", shellWord(originalHost.replaceAll("%", "%%"))].join(" ");
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
