/** The text of the remote script: made from the .sh files, and no larger than it was. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { embeddedModule, minify, readShFiles, shortNames } from "../../build/embed-sh.js";
import type { Section } from "../../src/contract/record.js";
import { candidatesOf } from "../../src/remote/probe.js";
import { bootstrapScript, tickDefinitions, tickLine } from "../../src/remote/script.js";
import { shellCommand } from "../../src/remote/shell-command.js";
import { allShims } from "../../src/shims/registry.js";
import { linux } from "../../src/system/linux.js";
import { HOST_SYSTEMS } from "../../src/system/registry.js";

const EMBEDDED = fileURLToPath(new URL("../../src/remote/embedded-sh.ts", import.meta.url));

test("src/remote/embedded-sh.ts is made from src/remote/sh/*.sh", async () => {
  const style = await resolveConfig(EMBEDDED);
  const made = await format(embeddedModule(readShFiles()), { ...style, parser: "typescript" });
  if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(EMBEDDED, made);
  const run = "UPDATE_GOLDEN=1 node --import tsx --test test/remote/script-text.test.ts";
  assert.equal(readFileSync(EMBEDDED, "utf8"), made, `make it again: ${run}`);
});

describe("what goes over the wire", () => {
  const NONCE = "0123456789ab";
  const include: ReadonlySet<Section> = new Set(["gpu", "cpu", "memory", "chassis"]);
  const systems = HOST_SYSTEMS.map((system) => ({ uname: system.uname, probe: system.probe(include) }));

  test("the bootstrap of all tools is at most 19000 bytes, and safe in quotes", async () => {
    const candidates = candidatesOf(await allShims(), { include, mode: "shell" }, "first");
    const plan = { nonce: NONCE, toolTimeoutSecs: 10, systems, candidates, foundBefore: false, stay: true };
    const command = shellCommand(bootstrapScript(plan));
    // A new vendor tool takes some hundred more, a new field of nvidia-smi some twenty.
    assert.ok(command.length <= 19_000, `${command.length} bytes`);
    assert.doesNotMatch(command, /@[A-Z_]+@/);
  });

  test("the definitions of a tick are at most 6100 bytes with the guard, the line of a tick 4", () => {
    const system = linux.sampler(new Map(), include).parts;
    const parts = [
      { id: "nvidia-smi.query", kind: "program", command: "{tool} --query-gpu=index", isBuffered: true },
    ] as const;
    const tools = [{ executable: "nvidia-smi", parts }];
    const plan = {
      nonce: NONCE,
      toolTimeoutSecs: 10,
      limiter: "gnu",
      isGuarded: true,
      system,
      tools,
    } as const;
    const definitions = tickDefinitions(plan);
    assert.ok(definitions.length <= 6100, `${definitions.length} bytes`);
    assert.doesNotMatch(definitions, /@[A-Z_]+@/);
    assert.equal(tickLine(7), "t 7\n");
  });
});

describe("the minifier", () => {
  const names = new Map([
    ["my_function", "f"],
    ["my_value", "v"],
  ]);

  const cases: readonly (readonly [what: string, readable: string, minified: string])[] = [
    [
      "drops comments, indentation and empty lines",
      "# why\n\n  echo 1\n  # why\n  echo 2\n",
      "echo 1;echo 2",
    ],
    ["joins a function", "my_function() {\n  echo $1\n}\nmy_function 2", "f() { echo $1;};f 2"],
    [
      "joins branches",
      "if a; then\n  b\nelif c; then\n  d\nelse\n  e\nfi",
      "if a; then b;elif c; then d;else e;fi",
    ],
    ["joins a loop", "while a; do\n  b\ndone <f\nc", "while a; do b;done <f;c"],
    [
      "joins the clauses of a case",
      'case $1 in\n  a|b) c;;\n  *" d "*)\n    (e)\n    f\n    ;;\nesac\ng',
      'case $1 in a|b) c;;*" d "*)(e);f;;esac;g',
    ],
    ["joins a pipe and what runs in the background", "a |\n  b &\nc && \nd", "a |b &c &&d"],
    ["keeps a blank behind `!`, for csh", "a &\nmy_value=$!\nwait $my_value", "a &v=$! ;wait $v"],
    ["renames in strings and expansions", 'my_value="${my_value:-$my_value}x"', 'v="${v:-$v}x"'],
    [
      "keeps places and environment variables",
      "LC_ALL=@MY_PLACE@\n@MY_PLACE@",
      "LC_ALL=@MY_PLACE@;@MY_PLACE@",
    ],
  ];
  for (const [what, readable, minified] of cases) {
    test(what, () => assert.equal(minify(readable, names), minified));
  }

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ["cat <<end\nend", /a here-document/],
    ["echo 'a'", /a single quote/],
    ["echo \\\n1", /a continued line/],
    ["echo 1 # why", /a comment behind a command/],
    ['echo "\n"', /a string of several lines/],
    ["(\necho\n)", /an open parenthesis/],
    ["echo\n| cat", /begins with a separator/],
    ["echo $other_name", /no short name for other_name/],
  ];
  for (const [text, reason] of refused) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => minify(text, names), reason));
  }

  test("two variables cannot share a short name, a function and a variable can", () => {
    const files = (text: string) => [{ name: "a.sh", text }];
    assert.throws(() => shortNames(files("# short: a_b=c d_e=c\n")), /declared before: d_e=c/);
    assert.throws(() => shortNames(files("# short: name=c\n")), /not a name and a short name: name=c/);
    assert.deepEqual(
      [...shortNames(files("# short: a_b=c d_e=c\na_b() {\n}\n"))],
      [
        ["a_b", "c"],
        ["d_e", "c"],
      ],
    );
  });
});
