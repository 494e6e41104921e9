import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import test from "node:test";
import { offerAlgorithms } from "../../../src/ssh/ssh2/algorithms.js";
import { loadSsh2 } from "../../../src/ssh/ssh2/client.js";
import { shareKeptParts } from "../../../src/ssh/ssh2/fast/kept-bytes.js";
import {
  closeRefused,
  introduceAs,
  pingServer,
  protocolOf,
  takeOverAuthentication,
} from "../../../src/ssh/ssh2/internals.js";
import { testConfig } from "../../support/host-plan.js";

const HANDLERS = { serviceAccepted() {}, keyAccepted() {}, failure() {}, banner() {}, success() {} };

test("an unsupported version of ssh2 is refused", () => {
  for (const client of [{}, { _protocol: null }, { _protocol: { _handlers: {} } }]) {
    assert.throws(() => takeOverAuthentication(client, HANDLERS), /not the one that is supported/);
    assert.throws(() => introduceAs(client, "SSH-2.0-x"), /not the one that is supported/);
    assert.throws(() => protocolOf(client), /not the one that is supported/);
    assert.throws(() => pingServer(client), /not the one that is supported/);
  }
});

test("clients with the same offer share one object of it", async () => {
  const Client = await loadSsh2();
  const offer = offerAlgorithms(testConfig(), { keyTypes: [], hasAuthority: false });
  assert.equal(offer.kind, "offer");
  const connected = (): object => {
    const client = new Client();
    client.on("error", () => undefined);
    const sock = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    client.connect({ sock, username: "watcher", algorithms: offer.algorithms as never });
    const protocol = protocolOf(client);
    shareKeptParts(protocol, offer.algorithms);
    sock.destroy();
    return protocol;
  };
  const [one, other] = [connected(), connected()];
  assert.notEqual(one, other);
  assert.equal(Reflect.get(one, "_offer"), Reflect.get(other, "_offer"));
});

test("of the channels those that run nothing are closed, and no forwarded connection", () => {
  const closed: string[] = [];
  const channel = (name: string, type: string, subtype?: string): object => ({
    type,
    subtype,
    close: () => closed.push(name),
  });
  const _channels = {
    0: channel("running", "session", "exec"),
    1: channel("refused", "session"),
    2: channel("forwarded", "direct-tcpip"),
    3: true,
  };
  closeRefused({ _chanMgr: { _channels } });
  closeRefused({});
  assert.deepEqual(closed, ["refused"]);
});
