/** For hostlists that look nothing up. */
import { LookupProblem, type Lookups } from "../../src/targets/hostlist.js";

const refuse = (what: string): Promise<never> => Promise.reject(new LookupProblem(`${what} is looked up`));

export const NO_LOOKUPS: Lookups = {
  group: (name) => refuse(`@${name}`),
  aliases: (pattern) => refuse(pattern),
};
