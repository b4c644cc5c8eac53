import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { FleetrigError } from "fleetrig/kernel";

/**
 * Makes room for a Unix socket: a file left by a process that is gone is removed, one that somebody listens on is not.
 * @throws FleetrigError `LISTENER_UNAVAILABLE`.
 */
export async function clearSocketFile(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (file === undefined) return;
  if (!file.isSocket())
    throw new FleetrigError(
      "LISTENER_UNAVAILABLE",
      `Cannot listen on ${path}: there is a file of that name.`,
      {
        hint: "Choose another path; only sockets that nobody listens on are replaced.",
        context: { path },
      },
    );
  if (await isAnswered(path))
    throw new FleetrigError("LISTENER_UNAVAILABLE", `Cannot listen on ${path}: another process does.`, {
      hint: "Stop the other process, or choose another path.",
      context: { path },
    });
  await unlink(path).catch(() => undefined);
}

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // ECONNREFUSED: nobody listens. Anything else (EACCES, EAGAIN) may well be somebody.
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
