/**
 * Lines of NDJSON as bytes, the same as `ndjsonLine` of each object gives. JSON.stringify leaves three times the line
 * behind as garbage; this writes into one buffer.
 */
import { NEWLINE } from "../../lib/bytes.js";
import { safeJson } from "../../lib/safe-json.js";
import { JsonBytes } from "./json-bytes.js";
import { JsonTemplates } from "./json-templates.js";

export class NdjsonLines {
  readonly #bytes = new JsonBytes();
  readonly #templates = new JsonTemplates(this.#bytes);

  /** Appends a line for each. Throws what a getter of one throws; nothing of these lines is kept then. */
  addAll(objects: readonly object[]): void {
    const start = this.#bytes.offset;
    try {
      objects.forEach((object) => this.#add(object));
    } catch (error) {
      this.#bytes.offset = start;
      throw error;
    }
  }

  #add(object: object): void {
    const start = this.#bytes.offset;
    if (!this.#templates.write(object)) {
      this.#bytes.offset = start;
      this.#bytes.putJson(safeJson(object) ?? "null");
    }
    this.#bytes.put(NEWLINE);
  }

  /** Drops all lines since the last `take`. */
  clear(): void {
    this.#bytes.offset = 0;
  }

  /** All lines since the last call, in UTF-8. The buffer is lent until the next call of `add`. */
  take(): Uint8Array {
    return this.#bytes.take();
  }

  takeText(): string {
    return this.#bytes.takeText();
  }
}
