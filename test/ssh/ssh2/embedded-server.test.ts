import assert from "node:assert/strict";
import { test } from "node:test";
import ssh2 from "ssh2";
import { makeEmbeddedKey } from "../../../src/ssh/ssh2/embedded-server.js";

test("every key that is made can be read", async () => {
  for (let made = 0; made < 3000; made++) {
    const key = await makeEmbeddedKey();
    assert.ok(!(ssh2.utils.parseKey(key.private) instanceof Error), key.private);
    assert.ok(!(ssh2.utils.parseKey(key.public) instanceof Error), key.public);
  }
});
