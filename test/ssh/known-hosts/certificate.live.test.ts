/** Host certificates beside ssh: who signed them, for whom, until when, and what follows when they do not count. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hostKeyOf, type HostKey } from "../../../src/ssh/keys/fingerprint.js";
import { KnownHostsStore } from "../../../src/ssh/known-hosts/known-hosts.js";
import { hostNames } from "../../../src/ssh/known-hosts/host-key.js";
import {
  makeKey,
  signKey,
  type CertificateOptions,
  type KeyOptions,
  type KeyPair,
} from "../../support/ssh-key.js";
import { missing, startSshd } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { askSsh, missingSsh } from "./real-ssh.js";

const NAME = "127.0.0.1";

/** What certificate a server has. The CA is ed25519 by default. */
const servers: readonly {
  name: string;
  type?: NonNullable<KeyOptions["type"]>;
  ca?: NonNullable<KeyOptions["type"]>;
  how?: Partial<CertificateOptions>;
}[] = [
  { name: "good" },
  { name: "rsa key and ca", type: "rsa", ca: "rsa" },
  { name: "ecdsa key and ca", type: "ecdsa", ca: "ecdsa" },
  { name: "another principal", how: { principals: ["other.example"] } },
  { name: "expired", how: { validity: "20200101:20200102" } },
  { name: "not yet valid", how: { validity: "20900101:20900102" } },
];

/** known_hosts texts; `{ca}`, `{key}` and `{other}` are key texts. */
const files = [
  "@cert-authority * {ca}\n",
  "@cert-authority {ported} {ca}\n",
  "@cert-authority {name} {ca}\n",
  "@cert-authority * {other}\n",
  "@cert-authority other.example {ca}\n",
  "@cert-authority * {other}\n{ported} {key}\n",
  "{ported} {key}\n",
  "{ported} {other}\n",
  "@cert-authority * {ca}\n{ported} {other}\n",
  "@cert-authority * {ca}\n@revoked * {ca}\n",
  "@cert-authority * {ca}\n@revoked * {key}\n",
  "@cert-authority * {ca}\n@revoked * {other}\n",
];

test("certificates count when they do for ssh", { skip: missing ?? missingSsh ?? false }, async (t) => {
  const temp = makeTempDir("certificate");
  const disagreements: string[] = [];
  let agreed = 0;
  try {
    const other = makeKey(join(temp.path, "other"));
    for (const [i, { name, type = "ed25519", ca: caType = "ed25519", how }] of servers.entries()) {
      const key = makeKey(join(temp.path, `key${i}`), { type });
      const ca = makeKey(join(temp.path, `ca${i}`), { type: caType });
      const certificate = signKey(key, { ca, principals: [NAME], host: true, ...how });
      const server = await startSshd({ hostKeys: [key], config: [`HostCertificate ${certificate}`] });
      t.after(() => server.stop());
      const ported = `[${NAME}]:${server.port}`;
      const file = join(temp.path, `known${i}`);
      for (const text of files) {
        const values = { ca: keyText(ca), key: keyText(key), other: keyText(other), name: NAME, ported };
        writeFileSync(
          file,
          text.replace(/\{(\w+)\}/g, (_all, name: keyof typeof values) => values[name]),
        );
        const options = [
          `UserKnownHostsFile=${file}`,
          "GlobalKnownHostsFile=none",
          "StrictHostKeyChecking=yes",
        ];
        const answer = await askSsh({ host: NAME, port: server.port, options });
        const known = new KnownHostsStore().open({ userFiles: [file], globalFiles: [], revokedFiles: [] });
        const names = hostNames({
          hostname: NAME,
          port: server.port,
          hostKeyAlias: null,
          checkHostIp: false,
          address: NAME,
        });
        const offered = answer.algorithm?.includes("-cert-") === true ? certificate : `${key.file}.pub`;
        const verdict = known.verdict(names, hostKeyIn(offered));
        const line = "at" in verdict ? `${verdict.at.file}:${String(verdict.at.line)}` : null;
        const same =
          verdict.kind === answer.kind &&
          (verdict.kind === "match") === answer.accepted &&
          (answer.at === null || answer.at === line);
        if (same) agreed++;
        else
          disagreements.push(
            `${name}, ${text}: ssh ${answer.kind} ${String(answer.at)}, we ${verdict.kind} ${String(line)}`,
          );
      }
      await server.stop();
    }
  } finally {
    temp.remove();
  }
  t.diagnostic(`host certificates: ${agreed} agree with ssh, ${disagreements.length} disagree`);
  assert.deepEqual(disagreements, []);
});

function keyText({ publicLine }: KeyPair): string {
  return publicLine.split(" ").slice(0, 2).join(" ");
}

function hostKeyIn(file: string): HostKey {
  return hostKeyOf(Buffer.from(readFileSync(file, "utf8").split(" ")[1] ?? "", "base64"));
}
