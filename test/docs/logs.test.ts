/** docs/logs.md, docs/otlp.md and examples/logs: files that parse, commands and fields that there are. No program is run. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { parseArgv } from "../../src/cli/parse-argv.js";
import { SECTIONS } from "../../src/contract/record.js";
import { deviceRowFields, FRAME_ROW_FIELDS, STATE_ROW_FIELDS } from "../../src/contract/row-fields.js";
import { schemaProblems } from "../support/line-schemas.js";

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const textOf = (name: string): string => readFileSync(pathOf(name), "utf8");
const EXAMPLES = readdirSync(pathOf("examples/logs")).sort();
const DOCUMENT = textOf("docs/logs.md");
const OTLP = textOf("docs/otlp.md");

/** Blocks of a language in a document. */
function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(
    ([, block = ""]) => block,
  );
}

describe("examples/logs", () => {
  test("has the files that the documents name, and no other", () => {
    const named = [...`${DOCUMENT}${OTLP}`.matchAll(/\(\.\.\/examples\/logs\/([\w.-]+)\)/g)];
    assert.deepEqual([...new Set(named.map(([, name = ""]) => name))].sort(), EXAMPLES);
  });

  for (const name of EXAMPLES.filter((each) => each.endsWith(".yaml")))
    test(`${name} is YAML`, async () => {
      assert.equal(typeof (await format(textOf(`examples/logs/${name}`), { parser: "yaml" })), "string");
      await assert.rejects(format("a: [1", { parser: "yaml" }));
    });

  test("config.alloy forwards only to components that it has, and closes what it opens", () => {
    const text = textOf("examples/logs/config.alloy").replaceAll(/^\s*\/\/.*$/gm, "");
    const components = [...text.matchAll(/^([a-z_.]+) "(\w+)" \{$/gm)].map(
      ([, kind = "", label = ""]) => `${kind}.${label}`,
    );
    const used = [...text.matchAll(/= \[?((?:local|loki)\.[\w.]+)\.(?:receiver|targets)\]?$/gm)].map(
      ([, to = ""]) => to,
    );
    assert.equal(components.length, 4);
    assert.deepEqual([...used].sort(), components.slice(0, 1).concat(components.slice(2)).sort());
    const count = (character: string): number => text.split(character).length;
    assert.deepEqual(["{", "[", "("].map(count), ["}", "]", ")"].map(count));
  });

  test("allsmi.logrotate has a script that it ends", () => {
    const text = textOf("examples/logs/allsmi.logrotate");
    assert.match(
      text,
      /^\/var\/log\/allsmi\/\S+ \/var\/log\/allsmi\/\S+ \{\n[^{}]*\n {4}postrotate\n.+--signal=HUP.+\n {4}endscript\n\}\n$/m,
    );
  });

  test("all read the file that the command of the document writes", () => {
    const [, file = ""] = /--output (\S+)/.exec(DOCUMENT) ?? [];
    for (const name of ["config.alloy", "vector.yaml", "fluent-bit.yaml", "otelcol.yaml"])
      assert.ok(textOf(`examples/logs/${name}`).includes(file), name);
    const [, metrics = ""] = /--format otlp-json --output (\S+)/.exec(OTLP) ?? [];
    assert.ok(textOf("examples/logs/otelcol-otlp.yaml").includes(metrics));
  });
});

describe("commands", () => {
  const commands = [DOCUMENT, OTLP].flatMap((text) =>
    [...text.matchAll(/^ *`?allsmi-ssh (--[^\n`|>]*)/gm)].map(([, args = ""]) => args.trim()),
  );
  test("are there", () => assert.ok(commands.length >= 5));
  for (const args of commands)
    test(`allsmi-ssh ${args}`, async () => {
      const parsed = await parseArgv(args.split(/\s+/), () => Promise.resolve("dgx-01\n"));
      assert.equal(parsed.kind, "run");
    });
});

describe("fields", () => {
  const known = new Set(
    [FRAME_ROW_FIELDS, STATE_ROW_FIELDS, ...SECTIONS.map(deviceRowFields)].flatMap((fields) =>
      Object.keys(fields),
    ),
  );
  const assertKnown = (path: string): void => assert.ok(known.has(path.split(".")[0] ?? ""), path);
  const lines = blocks(DOCUMENT, "text").flatMap((block) => block.trimEnd().split("\n"));

  test("of the outputs are those of rows, or what the query made", () => {
    assert.ok(lines.length >= 11);
    for (const line of lines) {
      const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (entry["schema"] === 1) assert.deepEqual(schemaProblems("compact-row", entry), []);
      else
        for (const key of Object.keys(entry))
          if (!["_time", "_stream", "records"].includes(key)) assertKnown(key);
    }
  });

  test("of the queries are those of rows", () => {
    const logsql = [...DOCUMENT.matchAll(/[`' =|]([a-z_]+(?:\.[a-z_]+)*):[=*>]/g)].map(
      ([, path = ""]) => path,
    );
    assert.ok(logsql.length >= 6);
    logsql.forEach(assertKnown);
    const logql = blocks(DOCUMENT, "logql").flatMap((block) =>
      [...block.matchAll(/(?:\| |unwrap )([a-z_]+)(?: ?[=!>]+ ?["\d]| \[)/g)].map(([, name = ""]) => name),
    );
    assert.ok(logql.length >= 5);
    // LogQL's `json` joins the names of inner fields with `_`.
    for (const name of logql) assertKnown(name === "last_error_code" ? "last_error.code" : name);
  });

  test("that become labels or times are those of rows", () => {
    const text = EXAMPLES.map((name) => textOf(`examples/logs/${name}`)).join("");
    for (const field of ["hostname", "timestamp"]) {
      assertKnown(field);
      assert.ok(text.includes(field), field);
    }
    const [, parameters = ""] = /insert\/jsonline\?(\S+)'/.exec(DOCUMENT) ?? [];
    const values = [...new URLSearchParams(parameters).values()];
    assert.deepEqual(values, ["hostname", "timestamp", "target"]);
    values.forEach(assertKnown);
  });
});
