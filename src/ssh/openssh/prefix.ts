/** Drops what a login shell's start-up files print before a mark. Pure. */

/** What is held at most while the mark has not come: a command that is not ours may stream for ever. */
const HELD_BYTES = 64 * 1024;

/** Output up to and with `mark` is dropped; when the mark never comes, all of it is given back. */
export class PrefixCut {
  private held: Buffer | null = Buffer.alloc(0);
  private readonly mark: Buffer;

  constructor(mark: string) {
    this.mark = Buffer.from(mark);
  }

  /** What may be passed on now; null while it is not known. */
  push(chunk: Buffer): Buffer | null {
    if (this.held === null) return chunk;
    const all = Buffer.concat([this.held, chunk]);
    const at = all.indexOf(this.mark);
    if (at < 0 && all.length <= HELD_BYTES) {
      this.held = all;
      return null;
    }
    this.held = null;
    return at < 0 ? all : all.subarray(at + this.mark.length);
  }

  /** What was held when the output ended without the mark. */
  flush(): Buffer | null {
    const held = this.held;
    this.held = null;
    return held;
  }
}
