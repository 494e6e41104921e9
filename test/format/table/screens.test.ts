/**
 * Pictures of made fleets: golden/screens/<hosts>-hosts-<columns>x<rows>[-color].txt. The name is the case, so that a new
 * one needs an empty file. In colour the escape character is written as ␛. UPDATE_GOLDEN=1 writes the pictures anew.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFormatter } from "../../../src/format/create-formatter.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { useUtc } from "../../support/in-utc.js";
import { madeFleet } from "../../support/made-fleet.js";

const FOLDER = join(GOLDEN_ROOT, "screens");
const NAME = /^(\d+)-hosts-(\d+)x(\d+)(-color)?\.txt$/;

useUtc();

for (const name of readdirSync(FOLDER).sort()) {
  test(name, async () => {
    const [, hosts, columns, rows, color] = NAME.exec(name) ?? [];
    assert.ok(hosts !== undefined, "its name has hosts and size");
    const size = { columns: Number(columns), rows: Number(rows) };
    const formatter = await createFormatter("table", {
      csvSections: ["gpu"],
      query: [],
      color: color !== undefined,
      terminal: { size: () => size, onResize: () => () => undefined, takesKeys: true },
      hostCount: Number(hosts),
      intervalMs: 2000,
      isOnce: false,
    });
    const pictures = madeFleet(Number(hosts), 3).map((records) => formatter.format(records));
    const last = pictures.at(-1) ?? "";
    const lines = last.replaceAll(/\u001b\[[HJK]/g, "").split("\r\n");
    assert.ok(lines.length <= size.rows);
    const shown = `${lines.join("\n").replaceAll("\u001b", "␛")}\n`;
    const file = join(FOLDER, name);
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, shown);
    assert.equal(shown, readFileSync(file, "utf8"));
  });
}

test("there are pictures of small and large fleets on small and large screens", () =>
  assert.ok(readdirSync(FOLDER).length >= 12));
