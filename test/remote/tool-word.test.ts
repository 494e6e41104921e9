/** A tool's path as a word of a command: what real shells make of it is the path, and nothing else is run. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { toolPathProblem } from "../../src/contract/tool-path.js";
import { shellCommand } from "../../src/remote/shell-command.js";
import { plainWord, shellWord, withTool } from "../../src/remote/tool-word.js";
import { LOGIN_SHELLS, POSIX_SHELLS } from "../support/login-shells.js";
import { propertyRuns } from "../support/property-runs.js";
import { makeTempDir } from "../support/temp-dir.js";

const home = makeTempDir("tool-word");
after(() => home.remove());

const HARD = [
  ...[
    "'",
    '"',
    "`",
    "$",
    "\\",
    "!",
    "\\\\",
    "$(id)",
    "${PATH}",
    "%s",
    "%",
    "\\0041",
    "*",
    "?",
    "[a]",
    "~",
    "#",
  ],
  ...[
    " ",
    "  ",
    ";",
    "&",
    "|",
    "<",
    ">",
    "(",
    ")",
    "{tool}",
    "{",
    "}",
    "@NONCE@",
    "@TOOLS@",
    "$&",
    "$1",
    "$$",
    "$'",
  ],
  ...["-n", "=", "é", "日本", "😀", "!!", "!-1", "a!", "^", "\\n", "\\c", "nvidia-smi"],
];
/** Paths that the flag and the label take. */
const paths: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...HARD),
      fc.string({ maxLength: 4 }),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((pieces) => `/${pieces.join("")}`)
  .filter((path) => toolPathProblem(path) === null);

/** What `script` prints under this shell. */
function printed(argv: readonly string[], script: string): string {
  const [program = "", ...args] = argv;
  const { stdout, stderr, status } = spawnSync(program, [...args, "-c", script], {
    encoding: "utf8",
    // bash reads the home's rc file where its standard input is a socket.
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C", HOME: home.path },
  });
  assert.deepEqual([status, stderr], [0, ""], script);
  return stdout;
}

describe("a path is one word, and stays what it is", () => {
  for (const { name, argv, skip } of POSIX_SHELLS)
    test(`in ${name} itself, as in a shell that stays`, { skip }, () => {
      fc.assert(
        fc.property(fc.array(paths, { minLength: 1, maxLength: 30 }), (many) => {
          const script = many.map((path) => `printf "%s|\\n" ${shellWord(path)} -x`).join(";");
          assert.equal(printed(argv, script), many.map((path) => `${path}|\n-x|\n`).join(""));
        }),
        { numRuns: propertyRuns(15) },
      );
    });

  for (const { name, argv, skip } of LOGIN_SHELLS)
    test(`through the single quotes of ${name}, as in a first script`, { skip }, () => {
      fc.assert(
        fc.property(fc.array(paths, { minLength: 1, maxLength: 20 }), (many) => {
          const lines = many.map(
            (path) => `X=${shellWord(path)};${withTool('printf "%s|" {tool} -x', '"$X"')};echo`,
          );
          const script = shellCommand(lines.join(";"));
          assert.equal(printed(argv, script), many.map((path) => `${path}|-x|\n`).join(""));
        }),
        { numRuns: propertyRuns(10) },
      );
    });

  test("a path of plain characters is written as it is, and one with blanks without a copy of the shell", () => {
    assert.equal(shellWord("/opt/nvidia-580.95/bin/nvidia-smi"), "/opt/nvidia-580.95/bin/nvidia-smi");
    assert.equal(shellWord('/opt/my "$x"/smi'), '"/opt/my \\"\\$x\\"/smi"');
  });

  test("{tool} takes the word as it is, with whatever a pattern of replacement means", () => {
    fc.assert(
      fc.property(paths, (path) => {
        assert.equal(withTool("{tool} a {tool} b", path), `${path} a ${path} b`);
      }),
    );
  });
});

describe("for a host that runs single commands", () => {
  test("a Windows path", () => {
    assert.equal(plainWord("C:\\nv\\nvidia-smi.exe"), "C:\\nv\\nvidia-smi.exe");
    assert.equal(
      plainWord("C:\\Program Files\\NV (x86)\\nvidia-smi.exe"),
      '"C:\\Program Files\\NV (x86)\\nvidia-smi.exe"',
    );
  });
  test("another path is a word of sh", () => {
    assert.equal(plainWord("/opt/a b/smi"), shellWord("/opt/a b/smi"));
  });
});

describe("what is a path", () => {
  const good = [
    "/x",
    "/opt/a b/nvidia-smi",
    "/opt/日本/smi",
    "C:\\nv\\smi.exe",
    "D:/nv/smi.exe",
    "/a/$(id)/'smi'",
  ];
  for (const path of good) test(JSON.stringify(path), () => assert.equal(toolPathProblem(path), null));
  const bad: readonly (readonly [string, RegExp])[] = [
    ["", /has no path/],
    ["nvidia-smi", /not an absolute path/],
    ["./x", /not an absolute path/],
    ["~/bin/x", /not an absolute path/],
    ["\\\\server\\x", /not an absolute path/],
    ["/opt/a\nb", /control character/],
    ["/opt/a\tb", /control character/],
    ["/opt/\u001b[31m", /control character/],
    ["/opt/\ud800", /control character/],
    ["/opt/bin/", /is a folder/],
    ["C:\\a&b\\x.exe", /Windows shell/],
    ["C:\\%PATH%\\x.exe", /Windows shell/],
    ['C:\\"x"', /Windows shell/],
    [`/${"x".repeat(1000)}`, /longer than 1000/],
  ];
  for (const [path, problem] of bad)
    test(`not ${JSON.stringify(path.slice(0, 20))}`, () =>
      assert.match(toolPathProblem(path) ?? "", problem));
});
