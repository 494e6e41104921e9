/**
 * Every flag, once: the parser, `--help`, docs/flags.md and the test of the manual page use this list. short-flags.ts has
 * the letters.
 */

type FlagKind =
  | { readonly kind: "switch" }
  /** `repeatable`: may be given several times, and all values count; otherwise the last one does. */
  | { readonly kind: "value"; readonly placeholder: string; readonly repeatable?: true };

export interface Flag {
  readonly name: string;
  readonly takes: FlagKind;
  /** One sentence or two; help.ts wraps it. */
  readonly about: string;
  /** The default as printed in help and manual; absent where there is none. */
  readonly initial?: string;
}

export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly Flag[];
}

const onOff = (name: string, about: string): Flag => ({ name, takes: { kind: "switch" }, about });
const value = (name: string, placeholder: string, about: string, initial?: string): Flag => ({
  name,
  takes: { kind: "value", placeholder },
  about,
  ...(initial === undefined ? {} : { initial }),
});
const values = (name: string, placeholder: string, about: string, initial?: string): Flag => ({
  ...value(name, placeholder, about, initial),
  takes: { kind: "value", placeholder, repeatable: true },
});

export const FLAG_GROUPS: readonly FlagGroup[] = [
  {
    title: "Hosts",
    flags: [
      values(
        "ssh",
        "TARGETS",
        "Hosts to watch: [user@]host[:port], ranges as dgx-[01-16], @group, patterns; ^name leaves out.",
      ),
      values(
        "ssh-hostfile",
        "FILE",
        "Hosts from a file, one a line, each with optional key=value labels; - is standard input.",
      ),
      values(
        "ssh-from",
        "SOURCE",
        "Hosts from ansible:FILE, an inventory, or exec:PROGRAM, which prints hosts.",
      ),
      values(
        "select",
        "KEY=VALUE",
        "Only hosts with this label, as rack=r12, rack!=r1* or role=gpu; all must match.",
      ),
      value("shard", "I/N", "Watch only part I of N, from 0 to N-1; N processes watch each host once."),
      onOff("demo", "Watch an embedded fleet of simulated hosts through real SSH on loopback."),
      value(
        "replay",
        "FILE",
        "Render recorded NDJSON, ours or all-smi's, instead of watching; - is standard input.",
      ),
      value("speed", "N", "Replay at N times the recorded pace, or max: as fast as it can.", "max"),
    ],
  },
  {
    title: "SSH",
    flags: [
      values("ssh-key", "FILE", "Private key to log in with, as ssh -i; repeatable."),
      value(
        "ssh-config",
        "FILE",
        "Read only this ssh_config; none reads no file.",
        "~/.ssh/config, then the system's",
      ),
      value("ssh-known-hosts", "FILE", "Check host keys against this known_hosts file.", "from ssh_config"),
      value(
        "ssh-strict-host-key",
        "POLICY",
        "yes refuses unknown host keys, accept-new records them, no accepts any key but a changed one.",
        "from ssh_config, else yes",
      ),
      value(
        "ssh-timeout-secs",
        "SECS",
        "Time limit of the connection, and again of the handshake and login.",
        "10",
      ),
      value(
        "ssh-client",
        "CLIENT",
        "auto, ssh2 (built in) or openssh (the system's ssh); auto uses ssh when it must.",
        "auto",
      ),
      value("ssh-concurrency", "N", "SSH handshakes at once, over all hosts.", "32"),
      value(
        "workers",
        "N",
        "Threads that share the hosts; 0: only the main one; auto: one for 100 hosts and more.",
        "auto",
      ),
      values(
        "ssh-fallback",
        "TOOLS",
        "Vendor tools to try, in this order, where all-smi is not installed; none: no vendor tool.",
        "every known tool",
      ),
    ],
  },
  {
    title: "Readings",
    flags: [
      value("interval", "SECS", "Seconds between readings; decimals allowed, at least 0.1.", "2"),
      onOff("once", "One record a host, without retries, then exit."),
      value("count", "N", "Exit after N readings of each host."),
      values(
        "include",
        "SECTIONS",
        "Sections to read: gpu, cpu, memory, chassis, process, storage, host, network, event.",
        "gpu,cpu,memory,chassis",
      ),
      value("tool-timeout-secs", "SECS", "Deadline of each vendor tool on the host, in whole seconds.", "10"),
      values(
        "tool",
        "NAME=PATH",
        "Where a tool is on the hosts, as nvidia-smi=/opt/x/nvidia-smi; a host's label tool.NAME=PATH wins.",
      ),
      value(
        "hold-driver",
        "WHEN",
        "auto keeps the NVIDIA driver started where its start slows each reading; never does not.",
        "auto",
      ),
      onOff(
        "no-cache",
        "Keep no facts of hosts (CPU model, fields of the tool) between runs, and use none; readings are never kept.",
      ),
      onOff("wake-gpus", "Run tools even if every GPU of their vendor sleeps; this wakes them."),
      onOff("redact", "Leave out command lines, users, containers and jobs of processes."),
    ],
  },
  {
    title: "Output",
    flags: [
      value(
        "format",
        "FORMAT",
        "ndjson, csv, table, prometheus, otlp-json or all-smi-record.",
        "table on a terminal, ndjson otherwise",
      ),
      value(
        "rows",
        "ROWS",
        "record, or device: one flat NDJSON line a device; CSV always has these.",
        "record",
      ),
      values("fields", "PATHS", "Keep only these fields, as host_id,gpu.temperature or labels.rack."),
      values("query", "PATHS", "CSV only: the same as --fields."),
      onOff("frames-only", "Print only frames: readings of hosts."),
      onOff("states-only", "Print only states: why a host has no reading."),
      values(
        "where",
        "CONDITION",
        "Print only records that meet this, as 'gpu.temperature>85'; in rows and tables, only devices that do.",
      ),
      onOff("compact", "NDJSON without nulls; values that all devices share are printed once."),
      value("output", "FILE", "Append to this file instead of printing; SIGHUP opens it again."),
      value(
        "listen",
        "[ADDR:]PORT",
        "Serve metrics of all hosts at http://ADDR:PORT/metrics; on 127.0.0.1 where ADDR is left out.",
      ),
      value(
        "view",
        "VIEW",
        "Table: a line for each of gpus, hosts or groups; auto: the most detailed view that fits.",
        "auto",
      ),
      value(
        "sort",
        "ORDER",
        "Table: order below the sick hosts: host, utilization, temperature, memory or power.",
        "host",
      ),
      value("group-by", "LABEL", "Table: the label that makes the groups, as rack."),
      value("color", "WHEN", "auto, always or never; auto follows NO_COLOR.", "auto"),
      values(
        "fail-on",
        "CONDITION",
        "Exit with 5 if this held in any reading, as 'gpu.temperature>85 for 3 ticks' or 'count(gpus)<8'.",
      ),
      onOff("fail-on-missing", "Exit with 5 as well if no record had a reading that a --fail-on names."),
      onOff("health", "Judge each record by the health rules: adds health with a status and findings."),
      values(
        "expect",
        "KEY=VALUE",
        "What each host should have, as gpus=8 or driver=580.*; a host's label expect.gpus=8 wins.",
      ),
      onOff(
        "drift",
        "Report hosts that differ from others with the same label in driver, VBIOS, GPUs or settings.",
      ),
      onOff("fail-on-drift", "Exit with 5 as well if hosts differ at the end, as --drift reports."),
      onOff("check", "Print one report with performance data, as a Nagios plugin; exit with 0, 1, 2 or 3."),
      values("warn", "CONDITION", "With --check: WARNING where this holds, in place of the health rules."),
      values("crit", "CONDITION", "With --check: CRITICAL where this holds, in place of the health rules."),
      value(
        "timeout",
        "SECS",
        "With --check: time limit of the whole check; after it the result is UNKNOWN.",
        "50",
      ),
      onOff(
        "dry-run",
        "Connect to nothing; print for each host what would be done; exit with 3 where no login can work.",
      ),
      onOff("script", "With --dry-run: print the script that would run on the hosts, for a review."),
      onOff("quiet", "Print no warnings, no progress, and nothing about hosts."),
      onOff("verbose", "Print on standard error what is being done; given twice: each step with its time."),
      onOff("log-time", "Begin each message on standard error with its time, in UTC."),
    ],
  },
  {
    title: "Help",
    flags: [onOff("help", "Print this help and exit."), onOff("version", "Print the version and exit.")],
  },
];

export const FLAGS: readonly Flag[] = FLAG_GROUPS.flatMap((group) => group.flags);

/** Exit codes with their meaning. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "every host's last record is a frame without errors"],
  ["1", "internal error, of one host too, or the output could not be written"],
  ["2", "wrong usage: a flag, the hostfile or a key file"],
  ["3", "some hosts failed: no frame, or one with errors, or critical health"],
  ["4", "all hosts failed"],
  ["5", "a --fail-on condition held, or hosts differ with --fail-on-drift"],
  ["129, 130, 143", "ended by SIGHUP, SIGINT, SIGTERM"],
];
