/**
 * A strict reader of expositions, for tests: it fails where a family is not in one piece, a name is not valid or two
 * samples have the same labels.
 */
import assert from "node:assert/strict";

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly unit: string | null;
  /** By labels, sorted and joined: `gpu=0,host=a`. */
  readonly samples: ReadonlyMap<string, number>;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/** By the name of the samples, in order. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family & { readonly samples: Map<string, number> }>();
  let current: { name: string; type?: string; help?: string; unit?: string } = { name: "" };
  assert.ok(text === "" || text.endsWith("\n"), "the last line has an end");
  for (const line of text.split("\n").slice(0, -1)) {
    if (line === "# EOF") continue;
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined) {
      if (current.name !== name) {
        assert.ok(!families.has(name), `a second piece of ${name}`);
        current = { name };
      }
      const key = kind.toLowerCase() as "help" | "type" | "unit";
      assert.equal(current[key], undefined, `a second ${kind} of ${name}`);
      current[key] = rest;
      continue;
    }
    const [, sampleName = "", labels = "", value = ""] =
      SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
    const suffix = current.type === "counter" ? "_total" : current.type === "info" ? "_info" : "";
    assert.ok(
      sampleName === current.name || sampleName === `${current.name}${suffix}`,
      `${sampleName} is not in the piece of ${current.name}`,
    );
    const family = families.get(sampleName) ?? {
      type: current.type ?? assert.fail(`no TYPE before ${line}`),
      help: current.help ?? assert.fail(`no HELP before ${line}`),
      unit: current.unit ?? null,
      samples: new Map<string, number>(),
    };
    families.set(sampleName, family);
    const id = labelsIn(labels)
      .map(([key, text_]) => `${key}=${text_}`)
      .sort()
      .join(",");
    assert.ok(!family.samples.has(id), `a second sample of ${sampleName} ${id}`);
    assert.ok(Number.isFinite(Number(value)) && value !== "", `no number: ${line}`);
    family.samples.set(id, Number(value));
  }
  return families;
}

/** The value of one sample, by labels in any order; undefined where there is none. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const id = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
  return families.get(name)?.samples.get(id);
}

function labelsIn(text: string): readonly (readonly [name: string, value: string])[] {
  const found: [string, string][] = [];
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = "", value = ""] = LABEL.exec(text) ?? assert.fail(`no labels: ${text}`);
    assert.ok(!found.some(([other]) => other === name), `the label ${name} twice: ${text}`);
    found.push([name, value.replaceAll(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c))]);
  }
  return found;
}
