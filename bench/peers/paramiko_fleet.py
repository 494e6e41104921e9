"""paramiko with 32 threads, one exec a host; the key is parsed once."""
import argparse
import warnings
from concurrent.futures import ThreadPoolExecutor

warnings.filterwarnings("ignore")
import paramiko  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hostfile", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--known-hosts", required=True)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("command")
    args = parser.parse_args()
    key = paramiko.Ed25519Key.from_private_key_file(args.key)
    known = paramiko.HostKeys(args.known_hosts)
    targets = [line.strip() for line in open(args.hostfile) if line.strip()]

    def once(target: str) -> int:
        user, _, rest = target.rpartition("@")
        host, _, port = rest.rpartition(":")
        client = paramiko.SSHClient()
        client._host_keys = known
        try:
            client.connect(host, int(port), username=user, pkey=key, allow_agent=False, look_for_keys=False)
            return client.exec_command(args.command)[1].read().count(b"\n")
        finally:
            client.close()

    with ThreadPoolExecutor(args.concurrency) as pool:
        print("tick 0", sum(pool.map(once, targets)), flush=True)


main()
