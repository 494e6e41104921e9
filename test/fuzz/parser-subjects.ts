/** What the campaign tries in this process: every shim, and the reader of frames. */
import assert from "node:assert/strict";
import { ParseError } from "../../src/contract/errors.js";
import { FrameReader } from "../../src/remote/frame.js";
import type { PartOutputs, Shim } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { goldenCases } from "../support/golden.js";
import { mutate, pick, type Random } from "./mutate.js";

export interface Case {
  /** Is timed, and may be run again. Throws where the case is a failure. */
  readonly run: () => void;
  /** Later cases are made of this one too. */
  readonly keep: () => void;
}

export interface Subject {
  readonly name: string;
  prepare(random: Random): Case;
}

export async function parserSubjects(): Promise<readonly Subject[]> {
  const shims = await allShims();
  const texts: string[] = [];
  const subjects = shims.map((shim) => shimSubject(shim, texts));
  return [...subjects, frameSubject(texts)];
}

const NEVER_CLEAN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** `texts` gets the recordings of the shim; those of others are taken pieces of. */
function shimSubject(shim: Shim, texts: string[]): Subject {
  const recordings = goldenCases(shim.id).map(({ context, outputs }) => {
    const [first] = shim.probe(context);
    return { context, outputs: outputs(first?.id ?? "") };
  });
  assert.ok(recordings.length > 0, `golden/${shim.id} has no case`);
  for (const { outputs } of recordings) for (const { stdout } of outputs.values()) texts.push(stdout);
  return {
    name: shim.id,
    prepare: (random) => {
      const recording = pick(random, recordings);
      assert.ok(recording !== undefined);
      const { context } = recording;
      const outputs = mutated(recording.outputs, texts, random);
      const run = (): void => {
        try {
          const verdict = shim.judge(outputs, context);
          if ("message" in verdict) assertPlain(verdict.message);
          if ("sampler" in verdict) assertPlain(verdict.sampler.parse(outputs));
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
          assertPlain(error.message);
        }
      };
      return { run, keep: () => void recordings.push({ context, outputs }) };
    },
  };
}

function mutated(outputs: PartOutputs, texts: readonly string[], random: Random): PartOutputs {
  const parts = [...outputs];
  const victim = pick(random, parts)?.[0];
  return new Map(
    parts.map(([id, output]) => {
      if (id !== victim && random() < 0.8) return [id, output];
      const other = pick(random, texts) ?? "";
      const stderr = random() < 0.1 ? mutate(output.stderr, other, random) : output.stderr;
      return [id, { ...output, stderr, stdout: mutate(output.stdout, other, random) }];
    }),
  );
}

/** Numbers are finite, and texts have nothing that a terminal acts on. */
function assertPlain(value: unknown): void {
  if (typeof value === "number") assert.ok(Number.isFinite(value), String(value));
  else if (typeof value === "string") {
    if (NEVER_CLEAN.test(value)) throw new Error(`not clean: ${JSON.stringify(value)}`);
  } else if (typeof value === "object" && value !== null)
    for (const key of Object.keys(value)) {
      assertPlain(key);
      assertPlain(Reflect.get(value, key));
    }
}

const NONCE = "0123456789ab";

function frameSubject(texts: readonly string[]): Subject {
  const kept: string[] = [];
  return {
    name: "frame reader",
    prepare: (random) => {
      const part = (id: string): string =>
        `\n@${NONCE} p ${id}\n${pick(random, texts) ?? ""}\n@${NONCE} e ${id}\n\n@${NONCE} r ${id} 0\n`;
      const whole = `\n@${NONCE} v 1\n${part("a")}${part("b")}\n@${NONCE} z 7\n`;
      // Marks of a frame are pieces too: a host may print them anywhere.
      const seed = kept.length > 0 && random() < 0.5 ? (pick(random, kept) ?? whole) : whole;
      const mutant = mutate(seed, `\n@${NONCE} z 7\n@${NONCE} p a\n`, random);
      const bytes = Buffer.from(mutant, "utf8");
      const step = 1 + Math.floor(random() * 70_000);
      const run = (): void => {
        const reader = new FrameReader(NONCE);
        reader.begin(7);
        let isDone = false;
        for (let at = 0; at < bytes.length && !isDone; at += step)
          isDone = reader.push(bytes.subarray(at, at + step), at);
        const { outputs, isWhole } = reader.frame(10);
        assert.equal(typeof isWhole, "boolean");
        assert.ok([...outputs.values()].every(({ stdout }) => stdout.length <= bytes.length));
        assert.ok(reader.preamble().length <= bytes.length);
      };
      return { run, keep: () => void kept.push(mutant) };
    },
  };
}
