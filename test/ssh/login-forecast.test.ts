/** The forecasts of many hosts: what is read for them together, and that a host with keys of its own has its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyFile } from "../../src/ssh/auth/key-file.js";
import { LoginForecast } from "../../src/ssh/login-forecast.js";
import type { HostPlan } from "../../src/ssh/plan/plan.js";
import { testPlan, testShared } from "../support/host-plan.js";

/** A forecast that lists the key files it reads; none of them is there. */
function countingForecast(): { forecast: LoginForecast; loaded: string[]; close: () => void } {
  const shared = testShared();
  const loaded: string[] = [];
  const keys = {
    load: (path: string): Promise<KeyFile> => {
      loaded.push(path);
      return Promise.resolve({ kind: "missing" });
    },
  };
  return { forecast: new LoginForecast({ ...shared, keys }), loaded, close: () => shared.close() };
}

function hostPlan(index: number, identityFiles: readonly string[], key: string | null = null): HostPlan {
  return testPlan(
    { hostname: `h${index}`, originalHost: `h${index}`, identityFiles, identityFilesNamed: true },
    { keyFiles: key === null ? [] : [key] },
  );
}

test("key files that many hosts name are read once, whether or not the paths are one array", async () => {
  const { forecast, loaded, close } = countingForecast();
  try {
    for (let index = 0; index < 3000; index++) {
      const files = index % 2 === 0 ? ["/keys/a", "/keys/b"] : ["/keys/c"];
      const obstacles = await forecast.obstacles(hostPlan(index, files));
      assert.match(obstacles.at(-1)?.why ?? "", index % 2 === 0 ? /\/keys\/a: .*\/keys\/b: / : /\/keys\/c: /);
    }
    assert.deepEqual(loaded, ["/keys/a", "/keys/b", "/keys/c"]);
  } finally {
    close();
  }
});

test("hosts with a file of their own each get its forecast, more of them than are remembered", async () => {
  const { forecast, loaded, close } = countingForecast();
  try {
    for (let index = 0; index < 2500; index++) {
      const obstacles = await forecast.obstacles(hostPlan(index, [`/keys/h${index}`]));
      assert.match(obstacles.at(-1)?.why ?? "", new RegExp(`/keys/h${index}\\b`));
    }
    assert.equal(loaded.length, 2500);
  } finally {
    close();
  }
});

test("a host whose --ssh-key differs has a forecast of its own", async () => {
  const { forecast, close } = countingForecast();
  try {
    const without = await forecast.obstacles(hostPlan(1, ["/keys/a"]));
    const withKey = await forecast.obstacles(hostPlan(1, ["/keys/a"], "/keys/mine"));
    assert.doesNotMatch(JSON.stringify(without), /\/keys\/mine/);
    assert.match(JSON.stringify(withKey), /--ssh-key \/keys\/mine: no such file/);
  } finally {
    close();
  }
});
