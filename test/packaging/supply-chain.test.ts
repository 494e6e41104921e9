/** What an installation brings is what was reviewed: the lockfile, install scripts, and the release workflow. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockEntries } from "../../docs/write-licences.js";

const textOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), "utf8");
const entries = lockEntries();

describe("package-lock.json", () => {
  test("has the hash of each package, and none comes from elsewhere than the registry", () => {
    assert.ok(entries.size > 50);
    for (const [path, { integrity, resolved, link }] of entries) {
      assert.match(integrity ?? "", /^sha512-[A-Za-z0-9+/]{86}==$/, path);
      // An address would win over the registry that the user has configured.
      assert.equal(resolved, undefined, path);
      assert.equal(link, undefined, path);
    }
  });
  test("agrees with package.json on what is asked for", () => {
    const { dependencies } = JSON.parse(textOf("package.json")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const { packages } = JSON.parse(textOf("package-lock.json")) as {
      readonly packages: Readonly<
        Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>
      >;
    };
    assert.deepEqual(packages[""]?.dependencies, dependencies);
    assert.match(dependencies["ssh2"] ?? "", /^\d+\.\d+\.\d+$/, "ssh2 is pinned: its inner parts are used");
  });
  test("has install scripts only in what makes the program faster", () => {
    const withScript = [...entries]
      .filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)
      .map(([path]) => path);
    assert.deepEqual(withScript, ["node_modules/cpu-features", "node_modules/ssh2"]);
  });
});

describe("the workflows", () => {
  const release = textOf(".github/workflows/release.yml");
  test("a release has an SBOM and provenance, and no token is stored", () => {
    assert.match(release, /npm sbom --sbom-format cyclonedx --omit dev/);
    assert.match(release, /npm publish --provenance/);
    assert.match(release, /id-token: write/);
    assert.doesNotMatch(release, /secrets\./);
  });
  test("each is given no more rights than it needs, and keeps no credentials", () => {
    for (const text of [release, textOf(".github/workflows/test.yml")]) {
      assert.match(text, /^permissions:\n {2}contents: read\n/m);
      const checkouts = text.split("actions/checkout@").length - 1;
      assert.equal(text.split("persist-credentials: false").length - 1, checkouts);
    }
  });
  test("an installation without install scripts and development packages is run", () => {
    assert.match(textOf(".github/workflows/test.yml"), /npm ci --ignore-scripts --omit=dev/);
  });
});
