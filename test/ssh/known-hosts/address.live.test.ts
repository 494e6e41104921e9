/** CheckHostIP beside ssh, in a network of its own: ssh skips the check for loopback addresses. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { HostKeyPolicy } from "../../../src/contract/ssh-options.js";
import { hostKeyOf } from "../../../src/ssh/keys/fingerprint.js";
import { decide } from "../../../src/ssh/known-hosts/decision.js";
import { KnownHostsStore } from "../../../src/ssh/known-hosts/known-hosts.js";
import { hostNames } from "../../../src/ssh/known-hosts/host-key.js";
import { waitFor } from "../../support/processes.js";
import { makeKey } from "../../support/ssh-key.js";
import { missing, startSshd, type Sshd } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { askSsh, missingSsh } from "./real-ssh.js";

const ADDRESS = "192.0.2.1";
const MAKE_NETWORK = `ip link set lo up && ip addr add ${ADDRESS}/32 dev lo && echo ready && exec sleep 300`;
const noNetwork =
  spawnSync("unshare", ["--net", "sh", "-c", "ip link set lo up && ip addr add 192.0.2.9/32 dev lo"])
    .status === 0
    ? null
    : "no right to make a network namespace";
const skip = missing ?? missingSsh ?? noNetwork ?? false;

/** With HostKeyAlias `gpu-1`, so that name and address differ without a DNS server. */
const scenarios: readonly {
  name: string;
  text: string;
  policy?: HostKeyPolicy;
  hash?: boolean;
  differs?: string;
}[] = [
  { name: "both known", text: "gpu-1 {key}\n{address} {key}\n" },
  { name: "both on one line", text: "gpu-1,{address} {key}\n" },
  { name: "address unknown", text: "gpu-1 {key}\n" },
  { name: "address unknown, hashing", text: "gpu-1 {key}\n", hash: true },
  { name: "address changed", text: "gpu-1 {key}\n{address} {other}\n" },
  {
    name: "address changed, name unknown",
    text: "{address} {other}\n",
    policy: "accept-new",
    differs: "ssh adds the name's line and then refuses; a key that is refused is not to become known",
  },
  { name: "address changed, no strictness", text: "gpu-1 {key}\n{address} {other}\n", policy: "no" },
  { name: "name changed, address right", text: "gpu-1 {other}\n{address} {key}\n" },
  { name: "both changed", text: "gpu-1 {other}\n{address} {other}\n" },
  { name: "name unknown, address right", text: "{address} {key}\n" },
  { name: "name unknown, address right, accept-new", text: "{address} {key}\n", policy: "accept-new" },
  { name: "both unknown", text: "# none\n", policy: "accept-new" },
  { name: "both unknown, hashing", text: "# none\n", policy: "accept-new", hash: true },
  { name: "name revoked", text: "gpu-1,{address} {key}\n@revoked gpu-1 {key}\n" },
  {
    name: "address revoked",
    text: "gpu-1,{address} {key}\n@revoked {address} {key}\n",
    differs: "a revoked key is refused wherever a line names the host, its address too",
  },
];

test("CheckHostIP decides and writes as in ssh", { skip }, async (t) => {
  const temp = makeTempDir("address");
  const holder = spawn("unshare", ["--net", "sh", "-c", MAKE_NETWORK], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let ready = "";
  holder.stdout.on("data", (chunk: Buffer) => (ready += chunk.toString()));
  let server: Sshd | null = null;
  const stay: string[] = [];
  const disagreements: string[] = [];
  try {
    await waitFor("the network is up", () => ready.includes("ready"));
    const within = ["nsenter", "--net", "--target", String(holder.pid)];
    const key = makeKey(join(temp.path, "server"));
    const other = makeKey(join(temp.path, "other"));
    server = await startSshd({ hostKeys: [key], addresses: ["0.0.0.0"], within });
    const port = server.port;
    const fill = (text: string): string =>
      text
        .replaceAll("{key}", key.publicLine.split(" ").slice(0, 2).join(" "))
        .replaceAll("{other}", other.publicLine.split(" ").slice(0, 2).join(" "))
        .replaceAll("{address}", `[${ADDRESS}]:${port}`);
    for (const [i, { name, text, policy = "yes", hash = false, differs }] of scenarios.entries()) {
      const dir = join(temp.path, String(i));
      mkdirSync(dir);
      const [theirs, mine] = [join(dir, "ssh"), join(dir, "own")];
      for (const file of [theirs, mine]) writeFileSync(file, fill(text), { mode: 0o600 });
      const options = [
        `UserKnownHostsFile=${theirs}`,
        "GlobalKnownHostsFile=none",
        `StrictHostKeyChecking=${policy}`,
        "CheckHostIP=yes",
        "HostKeyAlias=gpu-1",
        `HashKnownHosts=${hash ? "yes" : "no"}`,
      ];
      const answer = await askSsh({ host: ADDRESS, port, options, within });
      const known = new KnownHostsStore().open({ userFiles: [mine], globalFiles: [], revokedFiles: [] });
      const names = hostNames({
        hostname: ADDRESS,
        port,
        hostKeyAlias: "gpu-1",
        checkHostIp: true,
        address: ADDRESS,
      });
      const hostKey = hostKeyOf(Buffer.from(key.publicLine.split(" ")[1] ?? "", "base64"));
      const decision = decide(known.verdict(names, hostKey), policy, names, hostKey, known);
      if (decision.kind === "remember") await known.remember(names, hostKey, { hash });
      const [a, b] = [theirs, mine].map((file) =>
        readFileSync(file, "latin1")
          .replace(/\|1\|\S+/g, "|1|")
          .replace(/AAAA\S+/g, "..."),
      );
      const accepted = decision.kind !== "refuse";
      if (accepted === answer.accepted && a === b) continue;
      const difference = `${name}: ssh ${answer.accepted ? "accepts" : "refuses"} and leaves ${String(a)}, we ${decision.kind} and leave ${String(b)}`;
      if (differs === undefined) disagreements.push(difference);
      else stay.push(`${difference}. Stays: ${differs}`);
    }
  } finally {
    await server?.stop();
    holder.kill("SIGKILL");
    temp.remove();
  }
  const agreed = scenarios.length - stay.length - disagreements.length;
  t.diagnostic(
    `CheckHostIP: ${agreed} agree with ssh, ${disagreements.length} disagree, ${stay.length} stay`,
  );
  for (const line of stay) t.diagnostic(line);
  assert.deepEqual(disagreements, []);
});
