/** A frame has every section of its reading, each device with the labels of the record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY_OF_SECTION, SECTIONS, type Sections } from "../../src/contract/record.js";
import { frameRecord } from "../../src/host/host-record.js";

const host = { hostId: "u@h:22", target: "ssh://u@h", hostname: "h", labels: {} };
const route = { transport: "native", client: "ssh2", channel: "session" } as const;

for (const section of SECTIONS) {
  test(section, () => {
    const key = KEY_OF_SECTION[section];
    const sections = { [key]: [{ index: 3 }] } as unknown as Sections;
    const frame = frameRecord(host, route, 0, 5, { sections, errors: [] }, 1);
    const time = "1970-01-01T00:00:00.000Z";
    assert.deepEqual(frame[key], [{ index: 3, host_id: "u@h:22", hostname: "h", instance: "h", time }]);
  });
}
