/** What comes of going over a cap: the code that a record then has, or what is done in place of it. */
import type { SectionError } from "../src/contract/envelope.js";
import type { FailureCode } from "../src/contract/failure-codes.js";

export type Outcome =
  /** The frame goes on; the section is left out, with an error of this kind. */
  | { readonly kind: "section"; readonly error: SectionError["kind"] }
  /** The host has a state record with this code. */
  | { readonly kind: "state"; readonly code: FailureCode }
  /** Nothing is connected; exit status 2. */
  | { readonly kind: "usage" }
  /** Neither an error nor a loss: a short statement of what happens. */
  | { readonly kind: "plain"; readonly text: string };

const plain = (text: string): Outcome => ({ kind: "plain", text });
const state = (code: FailureCode): Outcome => ({ kind: "state", code });
const usage: Outcome = { kind: "usage" };
const parse: Outcome = { kind: "section", error: "parse" };

const NULL_VALUE = plain("the value is null");
const CUT = plain("the text is cut");
const REST_UNREAD = plain("no such device or text exists; what comes after it is not read");
const WAITS = plain("the others wait their turn");
const PLAINER_WAY = plain("the plain way does the work, with the same result");
const AS_SSH = plain("as ssh does");
const REPEATED = plain("it is tried again later");

/** By the file below src/, by `file NAME`, or by a folder where all of its caps have one outcome; the longest counts. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  "cache/": plain("the host is read without kept facts"),
  "cache/facts-files.ts MAX_FILE_AGE_MS": plain("the file is removed"),
  "cache/facts-files.ts MAX_CLOSE_MS": plain("the run ends; what is not written is lost"),
  "cli/": usage,
  "cli/run-program.ts MAX_ERROR_CHARS": CUT,
  "conditions/": usage,
  "conditions/known-fields.ts": CUT,
  "contract/envelope.ts": parse,
  "contract/tool-path.ts": usage,
  "fleet/": plain("another way of starting; no host is lost"),
  "format/fast/": PLAINER_WAY,
  "format/all-smi-gpu-extras.ts": NULL_VALUE,
  "format/all-smi-record.ts MAX_LINE_BYTES": { kind: "section", error: "error" },
  "format/all-smi-record.ts MAX_HEADER_HOSTS": plain("further hosts are in the lines and not in the header"),
  "format/all-smi-values.ts": plain("the value counts as missing"),
  "format/otlp/": plain("the time is 0, which OTLP reads as unknown"),
  "format/prometheus/host-history.ts": plain(
    "events of further kinds are in records and not in the counters",
  ),
  "format/table/": plain("the table shows less; records are whole"),
  "health/": plain("the oldest is forgotten"),
  "host/host-status.ts MAX_RETRY_MS": REPEATED,
  "host/host-status.ts MIN_STABLE_MS": plain("the failures before it are forgotten"),
  "host/reader-stall.ts": plain("the next record of the host has `skipped_ticks`"),
  "keyboard/": plain("the sequence is no key"),
  "lib/bounded-file.ts": plain("the file counts as one that cannot be read"),
  "lib/clock.ts": plain("the timer is set in several steps"),
  "lib/merge.ts": plain("the rest goes out in the next batch"),
  "lib/shared-values.ts": plain("equal values of hosts are not shared, which takes more memory"),
  "lib/text.ts": CUT,
  "lib/wildcard.ts": AS_SSH,
  "main.ts": usage,
  "main.ts MAX_HOSTS_UNOPTIMIZED": PLAINER_WAY,
  "main.ts MAX_LOG_WAIT_MS": plain("messages that nobody has read are lost"),
  "outcome/": plain("further ones are counted and not named"),
  "outcome/check-report.ts": CUT,
  "outcome/perfdata.ts": plain("only the fleet's figures are printed"),
  "remote/answer-bounds.ts": { kind: "section", error: "error" },
  "remote/answer-bounds.ts MAX_FRAME_BYTES": state("protocol-error"),
  "remote/event-looks.ts": plain("the kernel log is read in a later tick"),
  "remote/kept-facts.ts": plain("the host is asked for its facts again"),
  "remote/lane.ts": CUT,
  "remote/plain-commands.ts": CUT,
  "remote/script.ts": CUT,
  "remote/script.ts MAX_SHELL_KIB": { kind: "section", error: "error" },
  "remote/silence-watch.ts": { kind: "section", error: "timeout" },
  "run/": plain("further ones are counted and not printed"),
  "serve/exporter.ts": plain("the host's readings are left out of a scrape"),
  "serve/http-server.ts": plain("the connection is closed"),
  "serve/http-server.ts MAX_HEADER_BYTES": plain("the scrape has status 431"),
  "serve/http-server.ts MAX_SCRAPES": plain("the scrape has status 503"),
  "shims/": REST_UNREAD,
  "shims/amd-smi/amd-smi.ts": plain("the command is not run"),
  "shims/kit/cells.ts": NULL_VALUE,
  "shims/kit/json-text.ts": parse,
  "shims/kit/part-output.ts": plain("further errors are one error with their number"),
  "shims/native/": parse,
  "shims/nvidia-smi/cells.ts": NULL_VALUE,
  "shims/nvidia-smi/fast/": PLAINER_WAY,
  "shims/sysfs/energy.ts": NULL_VALUE,
  "sources/all-smi-recording.ts": CUT,
  "sources/demo/": plain("the demo keeps to it"),
  "sources/recording-bytes.ts": usage,
  "sources/record-lines.ts": plain("a warning; the line is left out"),
  "sources/replay.ts": plain("further warnings are one warning with their number"),
  "sources/young-space.ts": plain("V8 decides how much memory young objects may take"),
  "sources/threads/": plain("the fleet is watched on a thread of its own"),
  "ssh/auth/agent.ts": state("no-usable-key"),
  "ssh/auth/agent.ts MAX_SIGNING": WAITS,
  "ssh/auth/key-file.ts": state("no-usable-key"),
  "ssh/config/": AS_SSH,
  "ssh/config/local-environment.ts": plain("the program counts as one that failed"),
  "ssh/config/local-environment.ts MAX_PROCESSES": WAITS,
  "ssh/config/read.ts": usage,
  "ssh/connector.ts": plain("the next handshake begins"),
  "ssh/connector.ts HANDSHAKES_AN_ADDRESS": WAITS,
  "ssh/dial/dropped-retry.ts": state("connection-lost"),
  "ssh/dial/fast/": PLAINER_WAY,
  "ssh/dial/greeting.ts": state("not-ssh"),
  "ssh/dial/handshake-gate.ts": WAITS,
  "ssh/jump/": REPEATED,
  "ssh/login-forecast.ts": plain("key files are looked at again"),
  "ssh/keys/": state("host-key-algorithm"),
  "ssh/known-hosts/": state("host-key-unknown"),
  "ssh/names/": WAITS,
  "ssh/openssh/": CUT,
  "ssh/openssh/client.ts": state("connect-timeout"),
  "ssh/openssh/process.ts": state("protocol-error"),
  "ssh/openssh/control-master.ts": plain("the master counts as gone"),
  "ssh/plan/": state("connect-timeout"),
  "ssh/ssh2/fast/": plain("what was kept is forgotten"),
  "ssh/ssh2/channel-rules.ts": state("protocol-error"),
  "ssh/ssh2/group-exchange.ts": state("protocol-error"),
  "ssh/ssh2/internals.ts": state("protocol-error"),
  "ssh/ssh2/liveness.ts": state("keepalive-timeout"),
  "ssh/ssh2/server-limits.ts": state("protocol-error"),
  "ssh/ssh2/session.ts": state("protocol-error"),
  "ssh/ssh2/session.ts CLOSE_TIMEOUT_MS": plain("the connection is cut"),
  "system/": REST_UNREAD,
  "system/kernel-log/": CUT,
  "system/fast/": PLAINER_WAY,
  "system/proc-part.ts": PLAINER_WAY,
  "targets/": usage,
};

/** Null where no line above is about it. */
export function outcomeOf(file: string, name: string): Outcome | null {
  const keys = [`${file} ${name}`, file];
  for (let slash = file.lastIndexOf("/"); slash >= 0; slash = file.lastIndexOf("/", slash - 1)) {
    keys.push(file.slice(0, slash + 1));
    if (slash === 0) break;
  }
  const key = keys.find((each) => OUTCOMES[each] !== undefined);
  return key === undefined ? null : (OUTCOMES[key] ?? null);
}

/** Keys above that no cap has any more. */
export function unusedOutcomes(
  bounds: readonly { readonly file: string; readonly name: string }[],
): string[] {
  return Object.keys(OUTCOMES).filter(
    (key) =>
      !bounds.some(({ file, name }) => `${file} ${name}` === key || file === key || file.startsWith(key)),
  );
}
