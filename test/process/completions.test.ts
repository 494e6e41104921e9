/** Completions in the shells themselves: flags, fixed values, comma lists, files, and hosts of ssh_config with Include. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CHOICES, completionFiles, LISTS } from "../../build/completions.js";
import { FLAGS } from "../../src/cli/flags.js";
import { parseArgv } from "../../src/cli/parse-argv.js";
import { makeTempDir } from "../support/temp-dir.js";

const BUILT = fileURLToPath(new URL("../../dist/completions/", import.meta.url));
const temp = makeTempDir("completions");
after(() => temp.remove());
before(() => {
  mkdirSync(join(temp.path, ".ssh/conf.d"), { recursive: true });
  writeFileSync(join(temp.path, ".ssh/config"), "Include conf.d/*\nHost gpu-*\nHost dgx-01 dgx-02\n");
  writeFileSync(join(temp.path, ".ssh/conf.d/more"), "Host inner-7\n");
  writeFileSync(join(temp.path, "hosts.txt"), "");
});

interface Shell {
  readonly name: string;
  /** The line after the program's name, to its completions without their descriptions. */
  readonly complete: (line: string) => readonly string[];
}

function run(program: string, args: readonly string[]): string {
  const env = { ...process.env, HOME: temp.path, TERM: "dumb" };
  const ended = spawnSync(program, args, { env, cwd: temp.path, encoding: "utf8", timeout: 30_000 });
  assert.equal(ended.status, 0, `${program}: ${ended.stderr}`);
  return ended.stdout;
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    // The parts of the line as bash cuts it: an = stands alone.
    complete: (line) => {
      const parts = ["allsmi-ssh", ...line.replace("=", " = ").split(" ")];
      const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _allsmi_ssh
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      return run("bash", ["--norc", "-c", script, "bash", `${BUILT}allsmi-ssh.bash`, ...parts])
        .split("\n")
        .filter((each) => each !== "");
    },
  },
  {
    name: "fish",
    complete: (line) => {
      const script = `source ${BUILT}allsmi-ssh.fish; complete -C 'allsmi-ssh ${line}'`;
      return run("fish", ["--no-config", "-c", script])
        .split("\n")
        .map((each) => (each.split("\t")[0] ?? "").replace(/^--[\w-]+=/, ""))
        .filter((each) => each !== "");
    },
  },
  {
    name: "zsh",
    // A shell on a terminal of its own, since zsh completes nowhere else: a Tab, then a key that prints the line.
    complete: (line) => {
      const script = `
        zmodload zsh/zpty
        zpty inner zsh -f -i
        zpty -w inner 'PS1=; unsetopt list_ambiguous zle_bracketed_paste 2> /dev/null; fpath=(${BUILT} $fpath)
          autoload -Uz compinit; compinit -u -D; stty -echo
          shown() { print -r -- "<line>$BUFFER<end>" }; zle -N shown; bindkey "^X" shown; print ready'
        out=; while [[ $out != *ready* ]]; do zpty -r inner part; out+=$part; done
        zpty -w -n inner ${JSON.stringify(`allsmi-ssh ${line}`)}$'\\t\\x18'
        out=; while [[ $out != *"<end>"* ]]; do zpty -r inner part; out+=$part; done
        print -r -- $out; zpty -d inner`;
      const out = run("zsh", ["-f", "-c", script]);
      const begun = line.split(/[ =,]/).at(-1) ?? "";
      const completed =
        /<line>(.*)<end>/
          .exec(out)?.[1]
          ?.replace(/[= ]+$/, "")
          .split(/[ =,]/)
          .at(-1) ?? "";
      const listed = out
        .replace(/<line>[^]*/, "")
        .replaceAll("allsmi-ssh ", "")
        .split(/\s+/);
      const all = [...listed.filter((each) => each.startsWith(begun) && each !== begun), completed];
      // Of several, the line has what they begin with in common.
      return all.filter((each) => !all.some((other) => other !== each && other.startsWith(each)));
    },
  },
];

for (const { name, complete } of SHELLS) {
  const isThere = spawnSync(name, ["-c", "true"]).error === undefined;
  describe(name, { skip: !isThere && `SKIPPED LOUDLY: ${name} is not installed` }, () => {
    const cases: [line: string, expected: readonly string[]][] = [
      ["--ssh-h", ["--ssh-hostfile"]],
      ["--format c", ["csv"]],
      ["--color=a", ["auto", "always"]],
      ["dgx", ["dgx-01", "dgx-02"]],
      ["--once inn", ["inner-7"]],
      ["--ssh-hostfile hos", ["hosts.txt"]],
      ["-f c", ["csv"]],
      ["-H hos", ["hosts.txt"]],
      ["-w inn", ["inner-7"]],
    ];
    for (const [line, expected] of cases)
      test(line, () => assert.deepEqual([...new Set(complete(line))].sort(), [...expected].sort()));
    test("comma lists go on behind the comma", () => {
      const ends = (line: string): readonly string[] =>
        complete(line)
          .map((each) => each.replace(/^.*,/, ""))
          .sort();
      assert.deepEqual(ends("--include gpu,c"), ["chassis", "cpu"]);
      assert.deepEqual(ends("--ssh dgx-01,inn"), ["inner-7"]);
    });
  });
}

test("every flag is in every file", () => {
  for (const [file, text] of completionFiles())
    for (const flag of FLAGS)
      assert.match(text, new RegExp(`(--|-l )${flag.name}\\b`), `${file} lacks --${flag.name}`);
});

test("the program takes each fixed value", async () => {
  for (const [flag, values] of Object.entries(CHOICES))
    for (const value of values) {
      const command = await parseArgv(
        ["a", "--once", `--${flag}`, value],
        () => Promise.reject(new Error("no file")),
        {},
      );
      assert.equal(command.kind, "run");
    }
});

test("each fixed value that the program takes is completed", async () => {
  for (const { name, takes } of FLAGS) {
    if (takes.kind === "switch") continue;
    const problem = await parseArgv(["a", "--once", `--${name}`, "?"], () => Promise.resolve(""), {}).then(
      () => "",
      (error: unknown) => String(error),
    );
    const [, taken] = new RegExp(`--${name}: "\\?" is not one of ([\\w, -]+)$`, "m").exec(problem) ?? [];
    // Lists and expectations have completions, or none, of their own.
    if (taken !== undefined && taken.split(", ").every((value) => /^[\w-]+$/.test(value)))
      assert.deepEqual([...(CHOICES[name] ?? LISTS[name] ?? [])].sort(), taken.split(", ").sort(), name);
  }
});
