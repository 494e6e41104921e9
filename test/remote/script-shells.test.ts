/** The .sh files under the shells that a host's /bin/sh may be: both as they are written and as they are sent. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import {
  minify,
  minifiedFragments,
  readableFragments,
  readShFiles,
  shortNames,
} from "../../build/embed-sh.js";
import { EXTRA_PATH } from "../../src/remote/script.js";
import { makeBus, onBus, pciDevice } from "../support/fake-bus.js";
import { makeTempDir } from "../support/temp-dir.js";

const FILES = readShFiles();
const NAMES = shortNames(FILES);
const WAYS = {
  readable: { fragments: readableFragments(FILES), write: (sh: string) => sh },
  minified: { fragments: minifiedFragments(FILES), write: (sh: string) => minify(sh, NAMES) },
} as const;
type Way = keyof typeof WAYS;

const SHELLS: readonly { readonly name: string; readonly argv: readonly [string, ...string[]] }[] = [
  { name: "dash", argv: ["/bin/dash"] },
  { name: "bash", argv: ["/bin/bash", "--posix"] },
  { name: "busybox", argv: ["/bin/busybox", "sh"] },
  { name: "ksh", argv: ["/bin/ksh"] },
  { name: "zsh", argv: ["/bin/zsh", "--emulate", "sh"] },
];

const temp = makeTempDir("script-shells");
after(() => temp.remove());
const LINES = join(temp.path, "lines");
writeFileSync(LINES, "one\ntwo\nlast 3\nmore\n");

const BUS = join(temp.path, "bus");
makeBus(
  BUS,
  [
    pciDevice("0600 8086:09a2 0000:00:00.0"),
    pciDevice("0300 8086:4680 0000:00:02.0"),
    pciDevice("0302 10de:2330 0000:18:00.0"),
    pciDevice("0b40 1d94:54b7 0000:19:00.0"),
    pciDevice("1200 1da3:1060 0000:1a:00.0"),
    pciDevice("ff00 1ae0:005e 0000:1b:00.0"),
    pciDevice("0880 1d0f:7164 0000:1c:00.0"),
    pciDevice("0108 144d:a80a 0000:1d:00.0"),
    { at: "0000:1e:00.0" },
    { at: "0000:1f:00.0", class: "0x030000" },
    { at: "0000:20:00.0", vendor: "0x10de" },
    { at: "0000:21:00.0", class: "0x030000", vendor: "0x10de" },
  ],
  "Tegra",
);
const BUS_LISTED = `
0x030000 0x8086 0x4680 0000:00:02.0
0x030200 0x10de 0x2330 0000:18:00.0
0x0b4000 0x1d94 0x54b7 0000:19:00.0
0x120000 0x1da3 0x1060 0000:1a:00.0
0xff0000 0x1ae0 0x005e 0000:1b:00.0
0x088000 0x1d0f 0x7164 0000:1c:00.0

-
-
-
0x030000 0x10de  0000:21:00.0
soc Tegra
`;

const notLinux = process.platform === "linux" ? false : "NOT LINUX: its /proc was not read";

/** Folders of programs, each with the limiter that it has. An old busybox takes the seconds by -t alone. */
const TIMEOUTS = ((): Readonly<Record<string, string>> => {
  const old = 'case $1 in -t) shift 2; exec "$@";; *) exit 1;; esac';
  // As GNU coreutils' own: it must not be started to be known.
  const own = "exit 1";
  const folder = (purpose: string, fill: (path: string) => void): string => {
    const path = join(temp.path, purpose);
    mkdirSync(path);
    symlinkSync("/bin/uname", join(path, "uname"));
    fill(path);
    return path;
  };
  const program = (path: string, text: string): void =>
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return {
    [folder("coreutils", (path) => {
      program(join(path, "timeout"), own);
      program(join(path, "numfmt"), own);
    })]: "gnu",
    [folder("without-numfmt", (path) => program(join(path, "timeout"), old))]: "busybox",
    [folder("hard-links", (path) => {
      program(join(path, "timeout"), old);
      linkSync(join(path, "timeout"), join(path, "numfmt"));
    })]: "busybox",
    [folder("symbolic-link", (path) => {
      program(join(path, "old"), old);
      symlinkSync("old", join(path, "timeout"));
      program(join(path, "numfmt"), own);
    })]: "busybox",
    [folder("no-timeout", (path) => program(join(path, "numfmt"), own))]: "watchdog",
  };
})();

const PLACES: Readonly<Record<string, string>> = {
  VENDOR_FOLDERS: EXTRA_PATH,
  SHELL_KIB: "262144",
  STDERR_BYTES: "2000",
};

function fragment(way: Way, name: string): string {
  const written = WAYS[way].fragments.get(name) ?? "";
  assert.notEqual(written, "", name);
  return written.replaceAll(/@([A-Z_]+)@/g, (place, key: string) => PLACES[key] ?? place);
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run([program, ...args]: readonly [string, ...string[]], script: string): Promise<Run> {
  // Detached: the guard works in a shell that leads its session.
  const child = spawn(program, [...args, "-c", script], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
for (const file of FILES) {
  const skip = hasShellcheck ? false : "SKIPPED LOUDLY: shellcheck is not installed";
  test(`shellcheck has nothing against ${file.name}`, { skip }, () => {
    const { stdout } = spawnSync("shellcheck", ["-s", "sh", "-"], { input: file.text, encoding: "utf8" });
    assert.equal(stdout, "");
  });
}

/** Uses the functions as a frame does. Two parts take a second each, which the limiter or the guard ends. */
const FRAME = `
add_lines 2 ${LINES} none
add_lines 3 ${LINES} last
run_part fails sh -c "echo out; echo why >&2; exit 3"
run_buffered buffered sh -c "echo out; echo why >&2; exit 4"
run_part hangs sh -c "echo begun; exec sleep 5"
add_marker p shell
run_limited sh -c "exit 5"
mark_end x shell $?
find_program no-such-program sh && add_marker t $program_name
find_program no-such-program || add_marker t none
add_marker z 1
flush_output
`;

const ANSWER = `one
two
one
two
last 3

@nonce p fails
out

@nonce e fails
why
@nonce x fails 3

@nonce q buffered
why

@nonce o buffered 4
out
@nonce p hangs
begun

@nonce x hangs 124

@nonce p shell

@nonce x shell 5

@nonce t sh

@nonce t none

@nonce z 1
`;

describe("shells", { concurrency: 6 }, () => {
  for (const { name, argv } of SHELLS) {
    const skip = existsSync(argv[0]) ? false : `SKIPPED LOUDLY: ${argv[0]} is not installed`;
    for (const way of ["readable", "minified"] as const) {
      test(`${name} parses every fragment, ${way}`, { skip }, async () => {
        for (const [key, written] of WAYS[way].fragments) {
          const { status, stderr } = await run([...argv, "-n"], written);
          // ksh warns of what is slower than its own syntax.
          assert.equal(stderr.replaceAll(/.* is slower than .*\n/g, ""), "", key);
          assert.equal(status, 0, key);
        }
      });

      for (const limiter of ["limiterGnu", "limiterWatchdog", "guard"]) {
        test(`${name}: a frame under ${limiter}, ${way}`, { skip }, async () => {
          const { write } = WAYS[way];
          const fragments = ["environment", "limits", "output", "parts", "findProgram", limiter];
          const script = [
            ...fragments.map((key) => fragment(way, key)),
            write(`session_nonce=nonce\ntool_timeout=1\n${limiter === "guard" ? "start_guard" : ":"}`),
            write(FRAME),
          ].join("\n");
          const { status, stdout } = await run(argv, script);
          // The watchdog's program ends by its signal, which some shells report. ksh keeps the low byte of 256 + 15.
          const shown = stdout
            .replace(/^@nonce e hangs\n.*Terminated.*\n(?=@nonce x)/m, "")
            .replace(/^(@nonce x hangs) (?:143|15)$/m, "$1 124");
          assert.equal(shown, ANSWER);
          assert.equal(status, 0);
        });
      }

      test(`${name}: which timeout the host has, ${way}`, { skip: skip || notLinux }, async () => {
        const places = fragment(way, "detectLimiter").replaceAll(/@(GNU|BUSYBOX|WATCHDOG)@/g, ":");
        const detect = async (path: string): Promise<string> => {
          const { write } = WAYS[way];
          const script = `PATH=${path}\n${write("tool_timeout=1")}\n${places}\n${write('printf "%s\\n" "$limiter_name ${system_name%% *}"')}`;
          return (await run(argv, script)).stdout;
        };
        // busybox's own programs may come before those of PATH.
        const ofShell = await run(
          argv,
          "PATH=/dev/null; command -v timeout >/dev/null || exit 3; timeout -k 1 1 true",
        );
        const always = ofShell.status === 3 ? null : ofShell.status === 0 ? "gnu" : "busybox";
        for (const [folder, expected] of Object.entries(TIMEOUTS))
          assert.equal(await detect(folder), `${always ?? expected} Linux\n`, folder);
      });

      test(`${name}: folders of PATH that are there, once, ${way}`, { skip }, async () => {
        const { write } = WAYS[way];
        const path = `/bin:${temp.path}/none:${temp.path}:/bin::${temp.path}`;
        const script = `PATH=${path}\n${fragment(way, "findProgram")}\n${write('printf "%s\\n" "$PATH"')}`;
        assert.equal((await run(argv, script)).stdout, `/bin:${temp.path}:\n`);
      });

      test(`${name}: the PCI devices of a bus, ${way}`, { skip }, async () => {
        const script = ["output", "listPciDevices"].map((key) => fragment(way, key)).join("\n");
        const list = async (dir: string | null): Promise<string> => {
          const whole = `${script}\n${WAYS[way].write("flush_output")}`;
          const { stdout, stderr } = await run(argv, dir === null ? whole : onBus(whole, dir));
          assert.equal(stderr, "");
          return stdout;
        };
        assert.equal(await list(BUS), BUS_LISTED);
        assert.equal(await list(join(temp.path, "no-bus")), "-\n");
        assert.match(
          await list(null),
          /^(?:(?:-|soc .*|0x[0-9a-f]{6} 0x[0-9a-f]{4} 0x[0-9a-f]{4} \S+)?\n)*$/,
        );
      });
    }
  }
});
