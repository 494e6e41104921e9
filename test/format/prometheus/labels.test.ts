/** Label names of hostfiles become names that Prometheus takes, without collisions. Values are escaped. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hostLabels, label, labelNames, ownLabels } from "../../../src/format/prometheus/labels.js";
import { readExposition } from "../../support/exposition.js";
import { propertyRuns } from "../../support/property-runs.js";

const namesOf = (...keys: readonly string[]): readonly string[] => {
  const names = labelNames(keys);
  return keys.map((key) => names.get(key) ?? "");
};

describe("names", () => {
  const cases: readonly (readonly [what: string, keys: readonly string[], names: readonly string[]])[] = [
    ["usable ones stay", ["rack", "Owner_2", "_x"], ["rack", "Owner_2", "_x"]],
    ["what a name cannot have becomes _", ["a-b", "expect.gpus"], ["a_b", "expect_gpus"]],
    ["a usable name is never taken by another", ["a-b", "a_b", "a.b"], ["a_b_2", "a_b", "a_b_3"]],
    ["nor is one that a number was added to", ["a-b", "a_b", "a_b_2"], ["a_b_3", "a_b", "a_b_2"]],
    ["ours get a prefix", ["host", "gpu", "uuid"], ["label_host", "label_gpu", "label_uuid"]],
    ["which may be taken", ["host", "label_host"], ["label_host_2", "label_host"]],
    ["no name at all", ["", "9x", "__name__", "--"], ["label_", "label_9x", "label___name__", "label___"]],
    ["other letters", ["größe", "名"], ["gr__e", "label__"]],
  ];
  for (const [what, keys, names] of cases) {
    test(what, () => {
      assert.deepEqual(namesOf(...keys), names);
      assert.deepEqual(namesOf(...[...keys].reverse()), [...names].reverse());
    });
  }
  test("any labels of a host give as many names, all usable, in any order", () => {
    const key = fc.oneof(fc.string(), fc.constantFrom("a_b", "a-b", "a.b", "a_b_2", ...ownLabels()));
    fc.assert(
      fc.property(fc.uniqueArray(key), (keys) => {
        const names = labelNames(keys);
        const own = ownLabels();
        assert.equal(new Set(names.values()).size, keys.length);
        for (const name of names.values()) {
          assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/);
          assert.ok(!name.startsWith("__") && !own.includes(name), name);
        }
        assert.deepEqual(labelNames([...keys].reverse()), labelNames(keys));
      }),
      { numRuns: propertyRuns(300) },
    );
  });
});

describe("values", () => {
  test("are escaped, without control characters", () => {
    assert.equal(label("name", 'a\\b"c\nd'), ',name="a\\\\b\\"c\ufffdd"');
  });
  test("that are missing have no label", () => {
    assert.deepEqual(
      [null, undefined, "", {}, true].map((value) => label("uuid", value)),
      ["", "", "", "", ""],
    );
    assert.equal(label("gpu", 0), ',gpu="0"');
  });
  test("of any text come back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const families = readExposition(
          `# HELP x y\n# TYPE x gauge\nx{${hostLabels("a", { rack: `v${text}` })}} 1\n`,
        );
        const [id = ""] = families.get("x")?.samples.keys() ?? [];
        assert.ok(id.startsWith("host=a,rack=v"));
        assert.equal(id.length, "host=a,rack=v".length + text.length);
      }),
      { numRuns: propertyRuns(300) },
    );
  });
});
