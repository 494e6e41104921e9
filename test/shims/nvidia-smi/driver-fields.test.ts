/** What we ask a driver for by its version is what its own help lists, for every help text that there is. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fieldsOfDriver, KNOWN_DRIVERS } from "../../../src/shims/nvidia-smi/driver-fields.js";
import { canonicalField, fieldsInHelp, QUERY_FIELDS } from "../../../src/shims/nvidia-smi/fields.js";
import { GOLDEN_ROOT } from "../../support/golden.js";

const CAPTURES = fileURLToPath(new URL("../../../../shared/fixtures/nvidia-smi/", import.meta.url));
const skip = existsSync(CAPTURES) ? false : `NO CAPTURES: ${CAPTURES} is not there`;

describe("fields by the driver's version", () => {
  test("are those that the help of 580.159.04 lists", () => {
    const help = readFileSync(`${GOLDEN_ROOT}nvidia-smi/h100-580-plain/nvidia-smi.help/stdout.txt`, "utf8");
    assert.deepEqual(fieldsOfDriver("580.159.04"), fieldsInHelp(help));
  });

  test("are those that each captured help lists", { skip }, () => {
    const helps = readdirSync(CAPTURES).filter((name) => name.startsWith("help-query-gpu__"));
    assert.notEqual(helps.length, 0);
    for (const name of helps) {
      const version = /-(\d{3}(?:\.\d+)+)\.txt$/.exec(name)?.[1] ?? "";
      assert.deepEqual(
        fieldsOfDriver(version),
        fieldsInHelp(readFileSync(join(CAPTURES, name), "utf8")),
        name,
      );
    }
  });

  test("are among the columns of each captured query of every field", { skip }, () => {
    const queries = readdirSync(CAPTURES).filter((name) => name.startsWith("query-gpu-all__"));
    assert.notEqual(queries.length, 0);
    for (const name of queries) {
      const version = /-(\d{3}(?:\.\d+)+)__/.exec(name)?.[1] ?? "";
      const [header = ""] = readFileSync(join(CAPTURES, name), "utf8").split("\n");
      // A header has one of a field's names.
      const columns = new Set(
        header.split(", ").map((column) => canonicalField(column.replace(/ \[.*$/, "").trim())),
      );
      const fields = fieldsOfDriver(version);
      assert.ok(fields !== null, name);
      assert.deepEqual(
        fields.filter((field) => !columns.has(canonicalField(field))),
        [],
        name,
      );
    }
  });

  test("are every reading of ours, so that a later release of a branch hides none", () => {
    const readings = new Set(QUERY_FIELDS.map(canonicalField));
    for (const { branches } of KNOWN_DRIVERS)
      for (const branch of branches) {
        const fields = fieldsOfDriver(`${branch}.1`) ?? [];
        assert.deepEqual(new Set(fields.map(canonicalField)), readings);
        assert.equal(fields.length, readings.size);
      }
  });

  test("are not known of other branches, or of what is no version", () => {
    for (const version of ["", "570.86.15", "600.1", "615.4", "58", "580", "5801.2", "x580.1"])
      assert.equal(fieldsOfDriver(version), null, version);
  });
});
