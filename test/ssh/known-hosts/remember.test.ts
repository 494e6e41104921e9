/** accept-new's writing: whole lines, modes, no duplicates, odd files; each beside ssh where ssh has an answer. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type HostKeyNames, hostNames } from "../../../src/ssh/known-hosts/host-key.js";
import { KnownIndex } from "../../../src/ssh/known-hosts/fast/known-index.js";
import { KnownHostsStore } from "../../../src/ssh/known-hosts/known-hosts.js";
import type { KnownHosts } from "../../../src/ssh/known-hosts/known-hosts.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { namesOf, testKey } from "./test-keys.js";

const temp = makeTempDir("known-hosts-write");
after(() => temp.remove());
const keygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;
const isRoot = process.getuid?.() === 0;

let number = 0;
function freshDir(): string {
  const dir = join(temp.path, `dir${++number}`);
  mkdirSync(dir);
  return dir;
}

function open(file: string, sshDir = "/nowhere/.ssh"): KnownHosts {
  return new KnownHostsStore(() => new KnownIndex(), sshDir).open({
    userFiles: [file],
    globalFiles: [],
    revokedFiles: [],
  });
}

function host(index: number): HostKeyNames {
  return namesOf(`gpu-${index}.example`);
}

function wholeLines(file: string): string[] {
  const text = readFileSync(file, "latin1");
  assert.ok(text.endsWith("\n"));
  return text.slice(0, -1).split("\n");
}

for (const hash of [false, true]) {
  test(`50 new hosts at once give 50 whole lines, mode 0600, and none the second time (hash ${String(hash)})`, async () => {
    const file = join(freshDir(), "known_hosts");
    for (const round of ["first", "again", "another process's view"]) {
      const known = open(file);
      const warnings = await Promise.all(
        Array.from({ length: 50 }, (_, i) => known.remember(host(i), testKey(i), { hash })),
      );
      assert.deepEqual(new Set(warnings), new Set([null]), round);
      const lines = wholeLines(file);
      assert.equal(lines.length, 50, round);
      assert.equal(new Set(lines.map((line) => line.split(" ")[2])).size, 50, round);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      for (let i = 0; i < 50; i++) {
        const verdict = known.verdict(host(i), testKey(i));
        assert.deepEqual(verdict, { kind: "match", at: { file, line: i + 1 }, addressUnknown: false });
      }
    }
    if (keygen) assert.match(findByKeygen("gpu-7.example", file), /found: line 8/);
  });
}

test("one host asked for 50 times at once is written once", async () => {
  const file = join(freshDir(), "known_hosts");
  const known = open(file);
  await Promise.all(Array.from({ length: 50 }, () => known.remember(host(1), testKey(1), { hash: false })));
  assert.equal(wholeLines(file).length, 1);
});

test("two processes at once: every line whole, every host there", async () => {
  const file = join(freshDir(), "known_hosts");
  const script = fileURLToPath(new URL("./remember-many.ts", import.meta.url));
  const children = [0, 1].map((first) =>
    spawn(process.execPath, ["--import", "tsx", script, file, String(first * 200), "200"], {
      stdio: "inherit",
    }),
  );
  const ends = await Promise.all(children.map((child) => once(child, "exit")));
  assert.deepEqual(
    ends.map(([code]: unknown[]) => code),
    [0, 0],
  );
  // A blank one stands where a write was under way for longer than the other process looked twice.
  const lines = wholeLines(file).filter((line) => line !== "");
  assert.equal(lines.length, 400);
  for (const line of lines) assert.match(line, /^gpu-\d+\.example ssh-ed25519 AAAA[A-Za-z0-9+/]{64}$/);
  assert.equal(new Set(lines).size, 400);
  const known = open(file);
  for (let i = 0; i < 400; i++) assert.equal(known.verdict(host(i), testKey(i)).kind, "match");
});

/** A file is looked at once a turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what another process adds is seen, with its line numbers", async () => {
  const file = join(freshDir(), "known_hosts");
  const [a, b] = [open(file), open(file)];
  await a.remember(host(1), testKey(1), { hash: false });
  await b.remember(host(2), testKey(2), { hash: true });
  await a.remember(host(3), testKey(3), { hash: false });
  await a.remember(host(2), testKey(2), { hash: false });
  assert.equal(wholeLines(file).length, 3);
  await turn();
  for (const known of [a, b]) {
    for (const i of [1, 2, 3]) {
      const verdict = known.verdict(host(i), testKey(i));
      assert.deepEqual(verdict, { kind: "match", at: { file, line: i }, addressUnknown: false });
    }
  }
});

test("an operator's edit is seen by a running process", async () => {
  const file = join(freshDir(), "known_hosts");
  const known = open(file);
  await known.remember(host(1), testKey(99), { hash: false });
  assert.equal(known.verdict(host(1), testKey(1)).kind, "changed");
  writeFileSync(`${file}.new`, "# nothing\n");
  renameSync(`${file}.new`, file);
  await turn();
  assert.equal(known.verdict(host(1), testKey(1)).kind, "unknown");
});

test("a file without a final newline gets one first", async () => {
  const file = join(freshDir(), "known_hosts");
  writeFileSync(file, "# a comment\r\nother.example ssh-ed25519 AAAA");
  const known = open(file);
  await known.remember(host(1), testKey(1), { hash: false });
  assert.deepEqual(known.verdict(host(1), testKey(1)), {
    kind: "match",
    at: { file, line: 3 },
    addressUnknown: false,
  });
  assert.equal(wholeLines(file)[1], "other.example ssh-ed25519 AAAA");
  assert.equal(open(file).verdict(host(1), testKey(1)).kind, "match");
});

test("a symlink is followed and stays, a mode stays", async () => {
  const dir = freshDir();
  const [target, link] = [join(dir, "real"), join(dir, "known_hosts")];
  writeFileSync(target, "");
  chmodSync(target, 0o644);
  symlinkSync(target, link);
  assert.equal(await open(link).remember(host(1), testKey(1), { hash: false }), null);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(wholeLines(target).length, 1);
  assert.equal(statSync(target).mode & 0o777, 0o644);
});

test("a symlink to a file that is not there makes it", async () => {
  const dir = freshDir();
  symlinkSync(join(dir, "later"), join(dir, "known_hosts"));
  assert.equal(await open(join(dir, "known_hosts")).remember(host(1), testKey(1), { hash: false }), null);
  assert.equal(wholeLines(join(dir, "later")).length, 1);
});

test("a folder that is not there: a warning, and no folder made", async () => {
  const dir = join(freshDir(), "missing");
  const warning = await open(join(dir, "known_hosts")).remember(host(1), testKey(1), { hash: false });
  assert.match(warning ?? "", /Failed to add the host .*missing\/known_hosts.*ENOENT/);
  assert.equal(existsSync(dir), false);
});

test("~/.ssh itself is made, with mode 0700", async () => {
  const sshDir = join(freshDir(), ".ssh");
  const file = join(sshDir, "known_hosts");
  assert.equal(await open(file, sshDir).remember(host(1), testKey(1), { hash: false }), null);
  assert.equal(statSync(sshDir).mode & 0o777, 0o700);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("a file that is a folder: a warning", async () => {
  const dir = freshDir();
  assert.match((await open(dir).remember(host(1), testKey(1), { hash: false })) ?? "", /EISDIR/);
});

test("a read-only file: a warning", async () => {
  const dir = freshDir();
  chmodSync(dir, 0o711);
  const file = join(dir, "known_hosts");
  writeFileSync(file, "");
  chmodSync(file, 0o444);
  // Root may write to any file; nobody may not.
  if (isRoot) process.seteuid?.("nobody");
  try {
    assert.match((await open(file).remember(host(1), testKey(1), { hash: false })) ?? "", /EACCES/);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("a file on a read-only file system, or immutable: a warning", async () => {
  const warning = await open("/proc/version").remember(host(1), testKey(1), { hash: false });
  assert.match(warning ?? "", /E(ACCES|PERM|ROFS|IO)/);
});

test("/dev/null takes everything and keeps nothing", async () => {
  const known = open("/dev/null");
  assert.equal(await known.remember(host(1), testKey(1), { hash: false }), null);
  assert.equal(known.verdict(host(1), testKey(1)).kind, "unknown");
});

test("CheckHostIP: name and address on one line, or on two hashed ones; later only the address", async () => {
  const names = hostNames({
    hostname: "a.example",
    port: 2222,
    hostKeyAlias: null,
    checkHostIp: true,
    address: "192.0.2.1",
  });
  const plain = join(freshDir(), "known_hosts");
  await open(plain).remember(names, testKey(1), { hash: false });
  assert.match(
    readFileSync(plain, "latin1"),
    /^\[a\.example\]:2222,\[192\.0\.2\.1\]:2222 ssh-ed25519 \S+\n$/,
  );

  const hashed = join(freshDir(), "known_hosts");
  const known = open(hashed);
  await known.remember(names, testKey(1), { hash: true });
  assert.equal(wholeLines(hashed).length, 2);
  const moved = { ...names, address: "[192.0.2.2]:2222" };
  assert.deepEqual(known.verdict(moved, testKey(1)), {
    kind: "match",
    at: { file: hashed, line: 1 },
    addressUnknown: true,
  });
  await known.remember(moved, testKey(1), { hash: true });
  assert.equal(wholeLines(hashed).length, 3);
  const verdict = known.verdict(moved, testKey(1));
  assert.ok(verdict.kind === "match" && !verdict.addressUnknown);
});

function findByKeygen(name: string, file: string): string {
  return spawnSync("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8" }).stdout;
}
