import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** A TCP port that nothing listens on at this moment, on any of the addresses. */
export async function freePort(addresses: readonly string[] = ["127.0.0.1"]): Promise<number> {
  const port = await probe(addresses[0] ?? "127.0.0.1", 0);
  for (const address of addresses.slice(1, 4)) await probe(address, port);
  return port;
}

/**
 * A TCP port of 127.0.0.1 that stays closed: below those that the system gives to whoever asks for any (ip(7),
 * ip_local_port_range), as the servers of tests that run beside do. Linux's default range where it cannot be read.
 */
export async function closedPort(): Promise<number> {
  const lowest = Math.min(lowestGiven(), 32_768);
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = 1024 + Math.floor(Math.random() * (lowest - 1024));
    try {
      if (port < lowest) return await probe("127.0.0.1", port);
    } catch {
      // In use: another one.
    }
  }
  return freePort();
}

function lowestGiven(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/)[0]);
  } catch {
    return 32_768;
  }
}

function probe(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(found));
    });
  });
}
