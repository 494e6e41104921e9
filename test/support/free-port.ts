import { createServer } from "node:net";

/** A TCP port that nothing listens on at this moment, on any of the addresses. */
export async function freePort(addresses: readonly string[] = ["127.0.0.1"]): Promise<number> {
  const port = await probe(addresses[0] ?? "127.0.0.1", 0);
  for (const address of addresses.slice(1, 4)) await probe(address, port);
  return port;
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
