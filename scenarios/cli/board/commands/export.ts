import { exportPort } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { findBoard, labelOf } from "../find-board.js";
import { withLease } from "../with-board.js";
import { atWorkplace, type BoardFlags, interruption, PORT_TOKEN_VARIABLE } from "../workplace.js";

/** What the command line says. */
export interface ExportFlags extends BoardFlags {
  readonly listen: string;
  readonly protocol: "rfc2217" | "tcp";
  readonly token?: string;
  readonly insecure?: boolean;
  readonly baud?: number;
}

const LISTEN = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/;
const USUAL_BAUD = 115_200;

/**
 * `fleetrig board export <board>`: lets others use a board's port over the network until it is interrupted, one at a time.
 * @returns 0
 */
export function exportCommand(host: Host, name: string, flags: ExportFlags): Promise<number> {
  const [, bracketed, plain, digits] = LISTEN.exec(flags.listen) ?? [];
  const listenHost = bracketed ?? plain;
  if (listenHost === undefined || Number(digits) > 65_535)
    throw new FleetrigError("PORT_ADDRESS", `${flags.listen} is nowhere to listen.`, {
      hint: "Write host:port, as in 127.0.0.1:3333; port 0 takes any free one.",
      exitCode: EXIT.usage,
    });
  return atWorkplace(host, flags, async (place) => {
    const interrupted = interruption(place);
    const board = findBoard(place, name);
    const token = flags.token ?? host.env[PORT_TOKEN_VARIABLE];
    return withLease(place, { board, purpose: "export" }, async () => {
      const exported = await exportPort({
        opener: place.opener,
        address: board.port.address,
        clock: place.clock,
        protocol: flags.protocol,
        baud: flags.baud ?? board.known?.baud ?? USUAL_BAUD,
        host: listenHost,
        port: Number(digits),
        ...(token !== undefined && { token }),
        ...(flags.insecure === true && { allowInsecure: true }),
        note: (sentence) => writeLine(host.stderr, sentence),
      });
      const shown = exported.host.includes(":") ? `[${exported.host}]` : exported.host;
      const address = `${flags.protocol}://${shown}:${exported.port}`;
      if (flags.json === true)
        writeLine(host.stdout, JSON.stringify({ event: "ready", address, port: board.port.path }));
      else {
        writeLine(host.stdout, `${labelOf(board)} (${board.port.path}) is at ${address}`);
        if (token !== undefined)
          writeLine(
            host.stdout,
            `  clients need ${PORT_TOKEN_VARIABLE} in their environment, with the token`,
          );
      }
      await interrupted;
      await exported.close();
      return EXIT.passed;
    });
  });
}
