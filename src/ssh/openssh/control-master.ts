/** A login that somebody keeps open for others to ride on (ControlMaster): whether it is there, and answers. */
import { connect } from "node:net";
import type { Clock } from "../../lib/clock.js";
import { planLabel, type HostPlan } from "../plan/plan.js";

/** A master answers at once; one that is stopped never does. */
const ANSWER_TIMEOUT_MS = 1_000;

/** PROTOCOL.mux, 1: the first message of either side is its hello, here with version 4 and no extension. */
const MUX_MSG_HELLO = 1;
const OUR_HELLO = Buffer.from([0, 0, 0, 8, 0, 0, 0, MUX_MSG_HELLO, 0, 0, 0, 4]);

/** Why only the system's `ssh` will do: a live master of the host, or of a jump host on its way. Null: there is none. */
export async function masterToRideOn(plan: HostPlan, clock: Clock): Promise<string | null> {
  const { controlPath } = plan.config;
  if (controlPath !== undefined && (await answersAsMaster(controlPath, clock))) {
    return `the live ControlMaster at ${controlPath}`;
  }
  if (plan.way.kind !== "jump") return null;
  const { hop } = plan.way;
  const why = await masterToRideOn(hop, clock);
  return why === null ? null : `jump host ${planLabel(hop)}: ${why}`;
}

/** Whether a control master listens on the socket. A stale socket, one of another program and a hung master are none. */
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
