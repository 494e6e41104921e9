/** What is wrong with an ssh_config file, in the words that ssh itself uses. */
import { UsageError } from "../../contract/errors.js";

/** One complaint. `line` is null where ssh names none (permissions, a file that cannot be read, a bad expansion). */
export interface ConfigProblem {
  readonly file: string | null;
  readonly line: number | null;
  readonly message: string;
  /** ssh refuses this host alone, whatever the file: other hosts of the same files go on. Absent: the file is wrong. */
  readonly ofHost?: true;
}

/** ssh would refuse to start with this configuration: all the complaints that ssh prints before it gives up. */
export class ConfigError extends UsageError {
  constructor(readonly details: readonly ConfigProblem[]) {
    super(details.map(describe));
  }

  /** Whether only the host at hand is refused. */
  get isOfHost(): boolean {
    return this.details.every(({ ofHost }) => ofHost === true);
  }
}

function describe({ file, line, message }: ConfigProblem): string {
  if (file === null) return message;
  return line === null ? `${file}: ${message}` : `${file} line ${line}: ${message}`;
}
