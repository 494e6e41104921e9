/** What is wrong with an ssh_config file, with the messages of ssh itself. */
import { UsageError } from "../../contract/errors.js";

/** One mistake. `line` is null where ssh gives none (permissions, a file that cannot be read, a bad expansion). */
export interface ConfigProblem {
  readonly file: string | null;
  readonly line: number | null;
  readonly message: string;
  /** ssh refuses only this host: other hosts of the same files continue. Absent: the file is wrong. */
  readonly ofHost?: true;
}

/** ssh would refuse to start with this configuration: all mistakes that ssh reports before it exits. */
export class ConfigError extends UsageError {
  constructor(readonly details: readonly ConfigProblem[]) {
    super(details.map(describe));
  }

  /** Whether only this host is refused. */
  get isOfHost(): boolean {
    return this.details.every(({ ofHost }) => ofHost === true);
  }
}

function describe({ file, line, message }: ConfigProblem): string {
  if (file === null) return message;
  return line === null ? `${file}: ${message}` : `${file} line ${line}: ${message}`;
}
