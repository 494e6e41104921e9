/** A journalctl that stands in for systemd's: its journal is files that grow and rotate, and its positions are line numbers. */
import { appendFileSync, existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ZEROS = "0".repeat(32);

/** The sh text of a journalctl for the files of FakeJournal in this folder. `before`: sh commands that come first. */
export function fakeJournalctl(dir: string, before = ""): string {
  return [
    before,
    `after=0; limit=1000000`,
    `for arg in "$@"; do case $arg in --after-cursor=*) after=$((0x\${arg##*;x=}));; 10000) limit=10000;; esac; done`,
    `count=$(cat ${dir}/journal* | wc -l)`,
    `if [ $count -le $after ]; then echo "-- No entries --"; fi`,
    `cat ${dir}/journal* | tail -n +$((after+1)) | tail -n $limit`,
    `printf "%s%x\\n" "-- cursor: s=${ZEROS};i=1;b=${ZEROS};m=1;t=1;x=" $count`,
  ].join("\n");
}

export class FakeJournal {
  readonly #dir: string;
  #secs = 0;

  constructor(dir: string) {
    this.#dir = dir;
    writeFileSync(join(dir, "journal.9"), "");
    this.log("Linux version 6.8.0");
  }

  log(...messages: readonly string[]): void {
    const lines = messages.map((message) => `${nowSecs() + this.#secs++}.000000 gpu kernel: ${message}\n`);
    appendFileSync(join(this.#dir, "journal.9"), lines.join(""));
  }

  /** What was logged goes into an archived file. */
  rotate(): void {
    const archived = readdirSync(this.#dir).filter((name) => name.startsWith("journal.")).length;
    renameSync(join(this.#dir, "journal.9"), join(this.#dir, `journal.${archived}`));
    if (!existsSync(join(this.#dir, "journal.9"))) writeFileSync(join(this.#dir, "journal.9"), "");
  }
}

function nowSecs(): number {
  return Math.floor(Date.now() / 1000) - 3600;
}
