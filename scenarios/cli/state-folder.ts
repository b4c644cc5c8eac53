import { hostStateFolder } from "fleetrig/hil";
import type { Host } from "./host.js";

/** Where commands keep what they share with others on this machine; absolute. */
export const stateFolderOf = ({ machine, env }: Host): string =>
  hostStateFolder({
    chosen: env["FLEETRIG_STATE_DIR"],
    runtime: env["XDG_RUNTIME_DIR"],
    temporary: machine.temporaryFolder,
    userId: machine.user.userId,
  });
