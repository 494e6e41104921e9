/** The table shows local time: in the tests of a file it is UTC. */
import { after, before } from "node:test";

export function useUtc(): void {
  const zone = process.env["TZ"];
  before(() => {
    process.env["TZ"] = "UTC";
  });
  after(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });
}
