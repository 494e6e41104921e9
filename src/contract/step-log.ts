/** The log of single steps, for whoever wants to see what a connection or a session does and when. */

/** The part of the program that takes a step: reaching the host, or reading it over its channel. */
export type StepArea = "ssh" | "remote";

/**
 * Takes one step of one host, as a short line of text. Never throws. Where it is absent the log is off, and whoever
 * would log builds no text. No step holds key material, a signature or a password.
 */
export type StepLog = (area: StepArea, step: string) => void;
