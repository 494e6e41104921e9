/** Reads the log that the system's `ssh` writes to its standard error while it connects, line by line. Pure. */
import { MAX_SCANNED } from "../../lib/text.js";

/** How far a connection came. `proxy`: a proxy command was started and the host has sent nothing yet. */
export type OpensshStage = "start" | "dial" | "proxy" | "banner" | "handshake" | "auth" | "open";

const OFFERING = /^debug1: Offering public key: (.*) \S+ (SHA256:\S+)(.*)$/;
const DIALLING = /^debug1: Connecting to .* port \d+\.$/;
const AUTHENTICATED = /^(Authenticated to |debug1: Authentication succeeded )/;

// A line may match several; a stage only ever changes to a later one.
const STAGES: readonly (readonly [RegExp, OpensshStage])[] = [
  [/^debug1: Connecting to /, "dial"],
  [/^debug1: (Connecting to .* via proxy|Executing proxy command|Setting implicit ProxyCommand)/, "proxy"],
  [/^debug1: Connection established/, "banner"],
  [/^debug1: Remote protocol version /, "handshake"],
  [/^debug1: SSH2_MSG_SERVICE_ACCEPT received/, "auth"],
  [AUTHENTICATED, "open"],
  // A live control master: there is no handshake to see.
  [/^debug1: mux_client_request_session: master session id/, "open"],
];
const ORDER: readonly OpensshStage[] = ["start", "dial", "proxy", "banner", "handshake", "auth", "open"];

/** ssh's own lines that its user would not see without the log level we set. */
const DEBUG_OUTPUT = /^(debug1: |Authenticated to |Transferred: |Bytes per second: )/;

const MAX_COMPLAINTS = 60;

/** Takes what `ssh` writes to its standard error; keeps the stage, the offered keys and ssh's complaints. */
export class OpensshLog {
  stage: OpensshStage = "start";
  /** How many addresses of the host were tried. */
  dials = 0;
  /** As `file SHA256:... refused`, in the order offered. */
  readonly tried: string[] = [];
  /** ssh's lines without its debug output; after `open` the remote command's lines are among them. */
  readonly complaints: string[] = [];
  /** The type and fingerprint of the key that the server showed. */
  hostKey: string | null = null;
  /** Whether \`ssh\` added the server's key to known_hosts. */
  hasAddedKey = false;
  /** Whether the log reported an exit status or a signal of the remote command. */
  remoteEnd: "none" | "status" | "signal" = "none";
  /** Text from a server that is not SSH, before any banner. */
  preBanner: string | null = null;
  private rest = "";

  /** Returns what the remote command wrote: everything but ssh's own debug output, in whole lines. */
  push(chunk: string): string {
    const text = this.rest + chunk;
    const end = text.lastIndexOf("\n") + 1;
    this.rest = text.slice(end);
    let remote = "";
    for (const line of text.slice(0, end).match(/[^\n]*\n/g) ?? []) {
      if (this.line(line.replace(/\r?\n$/, ""))) remote += line;
    }
    // Output of a remote command without a newline must not be held for ever.
    return this.rest.length > MAX_SCANNED ? remote + this.flush() : remote;
  }

  /** The last line, when it has no newline. */
  flush(): string {
    const rest = this.rest;
    this.rest = "";
    return rest !== "" && this.line(rest) ? rest : "";
  }

  /** True when the line is not ssh's debug output. */
  private line(line: string): boolean {
    for (const [pattern, stage] of STAGES) {
      if (pattern.test(line)) this.reach(stage);
    }
    if (!DEBUG_OUTPUT.test(line)) {
      if (/^Warning: Permanently added /.test(line)) this.hasAddedKey = true;
      if (line.trim() !== "") this.complaints.push(line);
      if (this.complaints.length > MAX_COMPLAINTS) this.complaints.shift();
      return true;
    }
    this.readDebugOutput(line);
    return false;
  }

  private readDebugOutput(line: string): void {
    const offered = OFFERING.exec(line);
    if (offered !== null) {
      const source = / agent\b/.test(offered[3] ?? "") ? "agent" : (offered[1] ?? "");
      this.tried.push(`${source} ${offered[2] ?? ""} refused`);
      return;
    }
    if (line.startsWith("debug1: Server accepts key: ")) this.settleTried("accepted");
    if (DIALLING.test(line)) this.dials += 1;
    const key = /^debug1: Server host key: (\S+ \S+)/.exec(line);
    if (key?.[1] !== undefined) this.hostKey = key[1];
    const end = /^debug1: client_input_channel_req: channel \d+ rtype exit-(status|signal)/.exec(line);
    if (end !== null) this.remoteEnd = end[1] === "signal" ? "signal" : "status";
    const noise = /^debug1: kex_exchange_identification: banner line \d+: (.*)$/.exec(line);
    if (noise?.[1] === undefined) return;
    this.preBanner ??= noise[1];
    this.reach("banner");
  }

  private reach(stage: OpensshStage): void {
    if (ORDER.indexOf(stage) > ORDER.indexOf(this.stage)) this.stage = stage;
  }

  private settleTried(result: string): void {
    const last = this.tried.pop();
    if (last !== undefined) this.tried.push(last.replace(/ refused$/, ` ${result}`));
  }
}
