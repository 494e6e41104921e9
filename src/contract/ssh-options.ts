/** The flags that steer the SSH stage. */
export type HostKeyPolicy = "yes" | "accept-new" | "no";
export type SshClientChoice = "auto" | "ssh2" | "openssh";

export interface SshOptions {
  /** `--ssh-key`, in the order given. */
  readonly keyFiles: readonly string[];
  /** `--ssh-config`: only this file; null: ~/.ssh/config, then /etc/ssh/ssh_config; "none": no file at all. */
  readonly configFile: string | null;
  /** `--ssh-known-hosts`; null: as configured. */
  readonly knownHostsFile: string | null;
  /** `--ssh-strict-host-key`; null: as configured, else yes. */
  readonly hostKeyPolicy: HostKeyPolicy | null;
  /** Bounds the dial, and again the handshake with authentication; null: ConnectTimeout, else 10 s. */
  readonly timeoutMs: number | null;
  readonly client: SshClientChoice;
  /** Handshakes at once, over all hosts. */
  readonly concurrency: number;
}
