/** What an acknowledgement means to whoever gets it, by durability. */
export const PROMISES: Readonly<Record<string, string>> = {
  disk: "what is acknowledged is on disk and survives power loss",
  os: "what is acknowledged survives the end of this process, not power loss",
  memory: "nothing survives the end of this process; --data keeps it",
};
