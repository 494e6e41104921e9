/** allsmi-ssh-records(5) has every field of the tables, and nothing that roff would read as its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recordsPage } from "../../build/records-page.js";
import { DEVICE_LABEL_FIELDS, LAST_ERROR_FIELDS, RECORD_FIELDS } from "../../src/contract/envelope-fields.js";
import type { FieldMap, Shape } from "../../src/contract/field-table.js";
import { SECTION_FIELDS } from "../../src/contract/fields.js";
import { KEY_OF_SECTION, SECTIONS } from "../../src/contract/record.js";

const page = recordsPage();

/** The lines of one part of the page, from its heading to the next one. */
function part(heading: string): readonly string[] {
  const [, text = ""] = page.split(`\n${heading}\n`);
  return (text.split(/^\.S[hs] /m)[0] ?? "").split("\n");
}

/** Names of fields, with those of the objects inside them. */
function namesIn(fields: FieldMap): readonly string[] {
  return Object.entries(fields).flatMap(([name, field]) => [name, ...namesInside(field)]);
}
const namesInside = ({ fields, items }: Shape): readonly string[] => namesIn(fields ?? items?.fields ?? {});

const listed = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => /^\.It Li (\S+)/.exec(line)?.slice(1) ?? []);

for (const section of SECTIONS) {
  test(`the fields of ${section}, in their order`, () => {
    assert.deepEqual(listed(part(`.Ss ${KEY_OF_SECTION[section]}`)), namesIn(SECTION_FIELDS[section]));
  });
}

test("the fields of records and the labels of devices", () => {
  const outside = [".Sh EVERY RECORD", ".Sh FRAMES", ".Sh STATES"].flatMap((heading) =>
    listed(part(heading)),
  );
  for (const name of namesIn(RECORD_FIELDS))
    if (!Object.values<string>(KEY_OF_SECTION).includes(name)) assert.ok(outside.includes(name), name);
  assert.deepEqual(listed(part(".Sh DEVICES")), Object.keys(DEVICE_LABEL_FIELDS));
  assert.deepEqual(listed(part(".Ss Codes of last_error")), Object.keys(LAST_ERROR_FIELDS.code.values));
});

test("a field has its type, unit and meaning", () => {
  const lines = part(".Ss gpus");
  const at = lines.indexOf(".It Li temperature Pq number or null , \\[u00B0]C");
  assert.ok(at > 0, lines.filter((line) => line.includes("temperature")).join("\n"));
  assert.match(lines[at + 1] ?? "", /^\w.*\.$/);
});

test("lines are short, of ASCII, and lists are closed", () => {
  for (const line of page.split("\n")) {
    assert.match(line, /^[ -~]*$/);
    assert.ok(line.length <= 80 || line.startsWith("."), line);
    assert.match(line, /^(\.[A-Z][a-z]\b|[^.']|$)/);
  }
  assert.equal(page.match(/^\.Bl /gm)?.length, page.match(/^\.El$/gm)?.length);
});
