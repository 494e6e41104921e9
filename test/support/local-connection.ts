/** A Connection whose remote side is this machine: each channel is a login shell run as sshd would run it. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Channel, ChannelEvents, Connection } from "../../src/contract/connection.js";
import type { HostError } from "../../src/contract/errors.js";

/** `shell` gets `-c COMMAND`, as a login shell does from sshd. */
export function connectLocally(
  shell: readonly string[],
  env: Readonly<Record<string, string>>,
): Connection & { readonly opened: string[]; readonly written: string[]; running(): number; kill(): void } {
  const opened: string[] = [];
  const written: string[] = [];
  let running = 0;
  const children = new Set<ChildProcess>();
  const [program = "/bin/sh", ...args] = shell;
  return {
    client: "ssh2",
    opened,
    written,
    running: () => running,
    kill: () => children.forEach((child) => child.kill()),
    lost: new Promise<HostError>(() => undefined),
    close: () => Promise.resolve(),
    open(command: string, events: ChannelEvents): Promise<Channel> {
      opened.push(command);
      running += 1;
      const child = spawn(program, [...args, "-c", command], { env });
      children.add(child);
      child.stdout.on("data", (chunk: Buffer) => events.stdout(chunk));
      child.stderr.on("data", (chunk: Buffer) => events.stderr(chunk));
      child.stdin.on("error", () => undefined);
      child.on("close", (code, signal) => {
        running -= 1;
        events.closed(
          code === null ? { kind: "signal", signal: signal ?? "SIGKILL" } : { kind: "exit", code },
        );
      });
      return Promise.resolve({
        write: (data: string) => {
          written.push(data);
          child.stdin.write(data);
        },
        end: () => child.stdin.end(),
        abandon: () => {
          child.stdin.destroy();
          child.stdout.destroy();
          child.stderr.destroy();
        },
      });
    },
  };
}
