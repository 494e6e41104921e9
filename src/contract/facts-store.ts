/** Where facts of hosts are kept between runs, as the stages see it: docs/cache.md. Never readings. */
export interface FactsStore {
  /** What was written last under this key; null where there is nothing, or nothing that can be trusted. Never rejects. */
  read(key: string): Promise<unknown>;
  /** Returns at once and never throws: what cannot be written is lost. */
  write(key: string, facts: unknown): void;
  /** Settles when what was written is in files, or soon. */
  close(): Promise<void>;
}
