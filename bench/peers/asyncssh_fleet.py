"""asyncssh at its best: keys and known_hosts read once. One exec a host (--ticks 0), or one a host and tick.

Prints each answer's count of lines as `tick N LINES`; after each tick waits for a line on standard input.
"""
import argparse
import asyncio
import sys
import warnings

warnings.filterwarnings("ignore")
import asyncssh  # noqa: E402


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hostfile", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--known-hosts", required=True)
    parser.add_argument("--ticks", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("command")
    args = parser.parse_args()
    key = asyncssh.read_private_key(args.key)
    known = asyncssh.read_known_hosts(args.known_hosts)
    targets = [line.strip() for line in open(args.hostfile) if line.strip()]
    gate = asyncio.Semaphore(args.concurrency)

    def connect(target: str):
        user, _, rest = target.rpartition("@")
        host, _, port = rest.rpartition(":")
        return asyncssh.connect(
            host, int(port), username=user, client_keys=[key], known_hosts=known, config=None,
            agent_path=None, kex_algs=["curve25519-sha256"],
        )

    async def once(target: str) -> int:
        async with gate:
            async with connect(target) as connection:
                result = await connection.run(args.command, check=True)
                return result.stdout.count("\n")

    async def dial(target: str):
        async with gate:
            return await connect(target)

    async def sample(connection) -> int:
        result = await connection.run(args.command, check=True)
        return result.stdout.count("\n")

    if args.ticks == 0:
        print("tick 0", sum(await asyncio.gather(*map(once, targets))), flush=True)
        return
    connections = await asyncio.gather(*map(dial, targets))
    for tick in range(args.ticks):
        print("tick", tick, sum(await asyncio.gather(*map(sample, connections))), flush=True)
        if not sys.stdin.readline():
            break
    for connection in connections:
        connection.abort()


asyncio.run(main())
