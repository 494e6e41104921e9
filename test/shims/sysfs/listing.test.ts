/** What a kernel's file holds is a text of the host: it is cleaned before anything is made of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { devicesIn } from "../../../src/shims/sysfs/listing.js";

test("values have no control characters", () => {
  const [device] = devicesIn("@0000:c5:00.0 amdgpu active\nid 1002:\u001b[31m744c\nname \u0003card\u0000\n");
  assert.equal(device?.values.get("id"), "1002:\ufffd[31m744c");
  assert.equal(device.values.get("name"), "\ufffdcard\ufffd");
});
