/** The HTTP side of `--listen`, over real sockets: paths, methods, encodings, limits and the end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { after, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { UsageError } from "../../src/contract/errors.js";
import { realClock } from "../../src/lib/clock.js";
import { serveMetrics, type MetricsServer, type Served } from "../../src/serve/http-server.js";

const ANY = { host: "127.0.0.1", port: 0 };
const TEXT = "# HELP a b\n# TYPE a gauge\na 1\n";
const servers: MetricsServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function serve(changes: Partial<Served> = {}): Promise<MetricsServer> {
  const served: Served = {
    exposition: (format) => [TEXT, format === "openmetrics" ? "# EOF\n" : ""].filter((text) => text !== ""),
    isReady: () => true,
    report: (error) => assert.fail(String(error)),
    ...changes,
  };
  const server = await serveMetrics(ANY, served, realClock);
  servers.push(server);
  return server;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(
  { url }: MetricsServer,
  path: string,
  { method = "GET", headers = {} }: Asked = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const asked = request({ hostname, port, path, method, headers, agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) };
}

describe("paths", () => {
  test("/metrics, as text or as OpenMetrics", async () => {
    const server = await serve();
    const text = await ask(server, "/metrics");
    assert.equal(text.status, 200);
    assert.equal(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(text.headers["content-encoding"], undefined);
    assert.equal(text.body.toString(), TEXT);
    const open = await ask(server, "/metrics?x=1", {
      headers: { Accept: "application/openmetrics-text;version=1.0.0" },
    });
    assert.equal(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert.equal(open.body.toString(), `${TEXT}# EOF\n`);
  });
  test("/metrics, compressed where that is asked for", async () => {
    const answer = await ask(await serve(), "/metrics", { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal(answer.headers.vary, "Accept, Accept-Encoding");
    assert.equal(gunzipSync(answer.body).toString(), TEXT);
  });
  test("/healthz and /-/ready", async () => {
    let isReady = false;
    const server = await serve({ isReady: () => isReady });
    assert.equal((await ask(server, "/healthz")).status, 200);
    assert.equal((await ask(server, "/-/ready")).status, 503);
    isReady = true;
    assert.equal((await ask(server, "/-/ready")).status, 200);
  });
  for (const path of [
    "/",
    "/metrics/",
    "/metricsx",
    "/../etc/passwd",
    "/%2e%2e/etc/passwd",
    "//metrics",
    "*",
  ]) {
    test(`${path} is not there`, async () => {
      const answer = await ask(await serve(), path);
      assert.equal(answer.status, 404);
      assert.match(answer.body.toString(), /there are \/metrics, \/healthz/);
    });
  }
});

describe("methods", () => {
  test("HEAD has the headers of GET and no body", async () => {
    const server = await serve({ exposition: () => assert.fail("nothing is rendered") });
    const answer = await ask(server, "/metrics", { method: "HEAD" });
    assert.equal(answer.status, 200);
    assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
    assert.equal(answer.body.length, 0);
  });
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
    test(`${method} is refused`, async () => {
      const answer = await ask(await serve(), "/metrics", { method });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, "GET, HEAD");
    });
  }
});

describe("limits", () => {
  test("a client that reads slowly has pieces made only as it takes them", async () => {
    let made = 0;
    const piece = `${"x".repeat(1_000_000)}\n`;
    const server = await serve({
      *exposition() {
        for (; made < 200; made++) yield piece;
      },
    });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "readable");
    let before = -1;
    while (made !== before) {
      before = made;
      await new Promise((resolve) => realClock.after(100, () => resolve(null)));
    }
    assert.ok(made < 50, `${made} pieces of 1 MB were made for a client that reads nothing`);
    socket.destroy();
  });
  test("more scrapes at once than some are refused, and the next one is not", async () => {
    const server = await serve({
      *exposition() {
        for (let index = 0; index < 100; index++) yield "x".repeat(1_000_000);
      },
    });
    const { port } = new URL(server.url);
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, "readable")));
    const refused = await ask(server, "/metrics");
    assert.equal(refused.status, 503);
    assert.equal(refused.headers["retry-after"], "1");
    assert.equal((await ask(server, "/healthz")).status, 200);
    for (const socket of sockets) socket.destroy();
    for (let tries = 0; (await ask(server, "/metrics")).status !== 200; tries++) {
      assert.ok(tries < 100, "the scrapes of clients that have gone are over");
      await new Promise((resolve) => realClock.after(20, () => resolve(null)));
    }
  });
  test("connections beyond the limit are closed, and the others served", async () => {
    const server = await serve();
    const { port } = new URL(server.url);
    const sockets = Array.from({ length: 70 }, () => connect(Number(port), "127.0.0.1"));
    let closed = 0;
    for (const socket of sockets) socket.on("error", () => undefined).once("close", () => (closed += 1));
    const first = sockets[0] ?? assert.fail();
    first.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(first, "data");
    for (let tries = 0; closed < 70 - 64 && tries < 100; tries++)
      await new Promise((resolve) => realClock.after(20, () => resolve(null)));
    assert.equal(closed, 70 - 64);
    for (const socket of sockets) socket.destroy();
  });
  test("a header that is too long is refused", async () => {
    const answer = await ask(await serve(), "/metrics", { headers: { X: "x".repeat(20_000) } });
    assert.equal(answer.status, 431);
  });
  test("what is no HTTP is refused, and others are served on", async () => {
    const server = await serve();
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.end("SSH-2.0-x\r\n\r\n");
    const [data] = (await once(socket, "data")) as [Buffer];
    assert.match(data.toString(), /^HTTP\/1\.1 400/);
    assert.equal((await ask(server, "/healthz")).status, 200);
  });
  test("an exception of ours ends that answer, is reported, and ends nothing else", async () => {
    const reported: unknown[] = [];
    const server = await serve({
      *exposition() {
        yield TEXT;
        throw new Error("bug");
      },
      report: (error) => reported.push(error),
    });
    await assert.rejects(ask(server, "/metrics"), /aborted|hang up|reset/);
    assert.equal(reported.length, 1);
    assert.equal((await ask(server, "/healthz")).status, 200);
  });
});

describe("listening", () => {
  test("on an address that is taken is wrong usage", async () => {
    const { port } = new URL((await serve()).url);
    await assert.rejects(
      serveMetrics({ host: "127.0.0.1", port: Number(port) }, {} as Served, realClock),
      (error) =>
        error instanceof UsageError &&
        /^--listen: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/.test(error.message),
    );
  });
  test("on an address of another machine is wrong usage", async () => {
    await assert.rejects(serveMetrics({ host: "192.0.2.1", port: 0 }, {} as Served, realClock), UsageError);
  });
  test("ends although a client keeps its connection", async () => {
    const server = await serve();
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "data");
    const half = connect(Number(new URL(server.url).port), "127.0.0.1");
    half.write("GET /healthz HT");
    await once(half, "connect");
    await server.close();
    await assert.rejects(ask(server, "/healthz"), /ECONNREFUSED/);
    socket.destroy();
    half.destroy();
  });
});
