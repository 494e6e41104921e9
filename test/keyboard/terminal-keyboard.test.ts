import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import type { Key } from "../../src/contract/keyboard.js";
import { TerminalKeyboard, type Job, type KeyInput } from "../../src/keyboard/terminal-keyboard.js";
import { FakeClock } from "../support/fake-clock.js";

class FakeInput extends EventEmitter implements KeyInput {
  readableEnded = false;
  destroyed = false;
  isRaw = false;
  isReading = false;
  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
  resume(): void {
    this.isReading = true;
  }
  pause(): void {
    this.isReading = false;
  }
  /** Whether keys come one by one, and whether they are read. */
  get mode(): string {
    return `${this.isRaw ? "raw" : "cooked"} ${this.isReading ? "read" : "paused"}`;
  }
  press(text: string): void {
    this.emit("data", Buffer.from(text, "latin1"));
  }
}

class FakeJob implements Job {
  isForeground = true;
  readonly sent: string[] = [];
  release: () => void = () => undefined;
  resume: () => void = () => undefined;
  isWatched = false;
  isInForeground(): boolean {
    return this.isForeground;
  }
  send(signal: string): void {
    this.sent.push(signal);
  }
  watch(release: () => void, resume: () => void): () => void {
    [this.release, this.resume, this.isWatched] = [release, resume, true];
    return () => (this.isWatched = false);
  }
}

function opened(change: (input: FakeInput, job: FakeJob) => void = () => undefined) {
  const [input, job, clock, keys] = [
    new FakeInput(),
    new FakeJob(),
    new FakeClock(),
    [] as (Key | "resumed")[],
  ];
  change(input, job);
  const keyboard = new TerminalKeyboard(input, job, clock);
  keyboard.open(
    (key) => keys.push(key),
    () => keys.push("resumed"),
  );
  return { input, job, clock, keys, keyboard };
}

describe("the keyboard", () => {
  test("reads keys, sends signals as the terminal does, and leaves the terminal as it was", () => {
    const { input, job, keys, keyboard } = opened();
    assert.equal(input.mode, "raw read");
    input.press("\u001b[Bq\u0003");
    assert.deepEqual(keys, ["down", "quit"]);
    assert.deepEqual(job.sent, ["SIGINT"]);
    keyboard.close();
    assert.equal(input.mode, "cooked paused");
    assert.ok(!job.isWatched);
    input.press("q");
    assert.deepEqual(keys, ["down", "quit"], "nothing is read after the end");
  });
  test("takes ESC for a key where nothing follows, and for a sequence where it does", async () => {
    const { input, clock, keys } = opened();
    input.press("\u001b");
    await clock.advance(50);
    input.press("[A");
    await clock.advance(500);
    assert.deepEqual(keys, ["up"]);
    input.press("\u001b");
    await clock.advance(150);
    assert.deepEqual(keys, ["up", "quit"]);
  });
  test("gives the terminal back while the program is stopped", () => {
    const { input, job, keys } = opened();
    job.release();
    assert.equal(input.mode, "cooked paused");
    job.resume();
    job.resume();
    assert.equal(input.mode, "raw read");
    assert.equal(input.listenerCount("data"), 1);
    assert.deepEqual(keys, ["resumed", "resumed"]);
  });
  test("touches nothing in the background, until it is in the foreground", () => {
    const { input, job } = opened((_, each) => (each.isForeground = false));
    assert.equal(input.mode, "cooked paused");
    job.isForeground = true;
    job.resume();
    assert.equal(input.mode, "raw read");
  });
  test("reads nothing where the input has ended: Ctrl-C must stay a signal", () => {
    assert.equal(opened((input) => (input.readableEnded = true)).input.mode, "cooked paused");
    assert.equal(opened((input) => (input.destroyed = true)).input.mode, "cooked paused");
  });
  test("survives a terminal that goes", () => {
    const { input, keyboard } = opened();
    input.setRawMode = () => {
      throw new Error("EIO");
    };
    input.emit("error", new Error("EIO"));
    assert.equal(input.mode, "raw paused");
    keyboard.close();
  });
});
