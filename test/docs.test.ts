/** `--help`, the manual page and docs/flags.md agree: flags, what they take, defaults; README has the exit codes. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { recordsPage } from "../build/records-page.js";
import { writeFlags } from "../docs/write-flags.js";
import { EXIT_CODES, FLAGS, type Flag } from "../src/cli/flags.js";
import { flagSyntax, helpText } from "../src/cli/help.js";

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const manual = readFileSync(pathOf("man/allsmi-ssh.1"), "utf8");

/** A flag as a document has it; `initial` is undefined where none is named. */
interface Documented {
  readonly syntax: string;
  readonly initial: string | undefined;
}
const expected = (flag: Flag): Documented => ({ syntax: flagSyntax(flag), initial: flag.initial });

describe("the manual page", () => {
  test("names the flags, in the order of --help", () => {
    assert.deepEqual(
      manualFlags().map(({ syntax }) => syntax),
      FLAGS.map(flagSyntax),
    );
  });
  for (const flag of FLAGS) {
    test(`has the default of --${flag.name}`, () => {
      const found = manualFlags().find(({ syntax }) => syntax === flagSyntax(flag));
      assert.deepEqual(found, expected(flag));
    });
  }
  test("names the exit codes", () => {
    const section = manual.slice(manual.indexOf(".Sh EXIT STATUS"), manual.indexOf(".Sh EXAMPLES"));
    const codes = [...section.matchAll(/^\.It (.+)\n(.+)$/gm)].map(([, code, meaning]) => [code, meaning]);
    assert.deepEqual(codes, EXIT_CODES);
  });
});

describe("for mandoc", () => {
  const lint = (page: string): SpawnSyncReturns<string> =>
    spawnSync("mandoc", ["-Tlint", "-Wwarning"], { input: page, encoding: "utf8" });
  const skip = lint("").error !== undefined && "SKIPPED LOUDLY: mandoc is not installed";
  for (const [name, page] of [
    ["allsmi-ssh(1)", manual],
    ["allsmi-ssh-records(5)", recordsPage()],
  ] as const)
    test(`${name} is clean`, { skip }, () => {
      const { stdout, stderr, status } = lint(page);
      assert.equal(stdout + stderr, "");
      assert.equal(status, 0);
    });
});

describe("--help", () => {
  const help = helpText();
  for (const flag of FLAGS) {
    test(`has the syntax and default of --${flag.name}`, () => {
      const [, about = ""] = help.split(`\n  ${flagSyntax(flag)} `);
      const entry = (about.split(/\n {2}\S|\n\n/)[0] ?? "").replaceAll(/\s+/g, " ");
      assert.notEqual(entry, "");
      assert.equal(/ Default: (.*)\.$/.exec(entry)?.[1], flag.initial);
    });
  }
  test("names the exit codes", () => {
    // A meaning that is longer than a line goes on in the next.
    const text = help.replace(/\n {17}/g, " ");
    for (const [code, meaning] of EXIT_CODES) assert.match(text, new RegExp(`^  ${code} +${meaning}$`, "m"));
  });
});

test("docs/flags.md has every flag", async () => {
  const written = await writeFlags();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(pathOf("docs/flags.md"), written);
  const hint = "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs.test.ts";
  assert.equal(readFileSync(pathOf("docs/flags.md"), "utf8"), written, hint);
  for (const flag of FLAGS) assert.ok(written.includes(`| \`${flagSyntax(flag)}\` `), flag.name);
});

test("README names the exit codes", () => {
  const section = readFileSync(pathOf("README.md"), "utf8").split("\n## Exit codes\n")[1] ?? "";
  const codes = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| (\d[\d, ]*?) +\|/gm)].map(
    ([, code]) => code,
  );
  assert.deepEqual(
    codes,
    EXIT_CODES.map(([code]) => code),
  );
});

/** The list items of the manual that are flags, with the text after "Default:". */
function manualFlags(): readonly Documented[] {
  const end = manual.indexOf(".Sh HOSTFILE");
  return manual
    .slice(manual.indexOf(".Sh DESCRIPTION"), end)
    .split("\n.It ")
    .slice(1)
    .map((item) => {
      const [head = "", ...body] = item.split("\n");
      const syntax = head
        .replace(/^Fl (\w) , -/, "-$1, --")
        .replace(/^Fl -/, "--")
        .replaceAll(/ Ar /g, " ");
      const text = body
        .filter((line) => !/^\.(El|Pp|Bl)/.test(line))
        .map((line) => line.replace(/^\.Cm /, "").replace(/ ([.,:])$/, "$1"))
        .join(" ");
      const initial = /Default: (.*?)\.(?: Repeatable\.)?(?: The flags for .*)?$/.exec(text.trim())?.[1];
      return { syntax, initial };
    });
}
