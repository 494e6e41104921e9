/** The HTTP side of `--listen`: three paths, GET and HEAD, and a limit for everything that a client could use up. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { UsageError } from "../contract/errors.js";
import type { ListenAddress } from "../contract/options.js";
import type { Clock } from "../lib/clock.js";
import { errorCode } from "../lib/error-code.js";
import { CONTENT_TYPES, type ExpositionFormat } from "../format/prometheus/exposition.js";
import { acceptsGzip, formatAsked } from "./negotiation.js";

const MAX_CONNECTIONS = 64;
/** More scrapes than this at once are refused: each of them takes processor time from the watch. */
const MAX_SCRAPES = 8;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
/** A client that takes nothing for so long is cut off. */
const IDLE_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;
/** How long the end of the run waits for answers that are under way. */
const END_MS = 300;

/** What is served. */
export interface Served {
  /** Pieces of the text; each is made when it is taken. */
  exposition(format: ExpositionFormat): Iterable<string>;
  /** Whether every host has had its first reading, or a reason why it has none. */
  isReady(): boolean;
  /** Takes an exception of ours. */
  report(error: unknown): void;
}

export interface MetricsServer {
  /** As `http://127.0.0.1:9400`. */
  readonly url: string;
  /** Ends answers under way after a short grace. */
  close(): Promise<void>;
}

/** Settles when it listens. Throws UsageError where it cannot. */
export async function serveMetrics(
  { host, port }: ListenAddress,
  served: Served,
  clock: Clock,
): Promise<MetricsServer> {
  const answer = answerer(served);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: HEADERS_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        // An unfinished answer is recognisable: its last chunk is missing. A client that has gone is no fault.
        response.destroy();
        if (errorCode(error) === null) served.report(error);
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  await listening(server, host, port);
  // From here on it reports only what concerns one connection (a descriptor that is missing): the next one is tried.
  server.on("error", () => undefined);
  return { url: urlOf(server), close: () => closed(server, clock) };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new UsageError([`--listen: cannot listen on ${addressText(host, port)}: ${error.message}`], false),
      ),
    );
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function closed(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(END_MS, () => server.closeAllConnections());
    server.close(() => {
      timer.cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") return "";
  return `http://${addressText(address.address, address.port)}`;
}

function addressText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function answerer(served: Served): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let scrapes = 0;
  return async (request, response) => {
    const [path = ""] = (request.url ?? "").split("?", 1);
    const page = PAGES.get(path);
    if (page === undefined) {
      plain(request, response, 404, `not found; ${PATHS}\n`);
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      plain(request, response, 405, "only GET and HEAD\n");
    } else if (page === "health") {
      plain(request, response, 200, "ok\n");
    } else if (page === "ready") {
      if (served.isReady()) plain(request, response, 200, "ready\n");
      else plain(request, response, 503, "not ready: some hosts have had no reading yet\n");
    } else if (scrapes >= MAX_SCRAPES) {
      response.setHeader("Retry-After", "1");
      plain(request, response, 503, `more than ${MAX_SCRAPES} scrapes at once\n`);
    } else {
      scrapes += 1;
      try {
        await metrics(request, response, served);
      } finally {
        scrapes -= 1;
      }
    }
  };
}

const PAGES: ReadonlyMap<string, "metrics" | "health" | "ready"> = new Map([
  ["/metrics", "metrics"],
  ["/healthz", "health"],
  ["/-/ready", "ready"],
]);
const PATHS = `there are ${[...PAGES.keys()].join(", ")}`;

async function metrics(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const format = formatAsked(request.headers.accept);
  const isGzip = acceptsGzip(header(request, "accept-encoding"));
  response.writeHead(200, {
    ...COMMON,
    "Content-Type": CONTENT_TYPES[format],
    Vary: "Accept, Accept-Encoding",
    ...(isGzip ? { "Content-Encoding": "gzip" } : {}),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const text = Readable.from(served.exposition(format), { highWaterMark: 1 });
  // Most of a text is repeated labels: the fastest level makes little of it.
  if (isGzip) await pipeline(text, createGzip({ level: constants.Z_BEST_SPEED }), response);
  else await pipeline(text, response);
}

const COMMON = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } as const;

function plain(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    ...COMMON,
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}
