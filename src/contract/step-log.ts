/** The step log of one host (`ALLSMI_SSH_DEBUG`): what its SSH side and its remote side do, a line a step. */

export type StepArea = "ssh" | "remote";

/** Takes one step as plain text, without host or time. Never key material. */
export type StepLog = (area: StepArea, step: string) => void;
