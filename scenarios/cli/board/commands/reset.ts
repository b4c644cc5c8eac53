import { type ResetMode, shownMac } from "fleetrig/hil";
import { EXIT, formatDurationUs } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { labelOf } from "../find-board.js";
import { withNamedBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags } from "../workplace.js";

/** From the first sign of the start to the firmware's hello, for firmware that says one. */
const HELLO_US = 1_500_000;

/**
 * `fleetrig board reset <board>` and `download <board>`: restarts a board into its application or its ROM's loader, and believes it only when
 * the board's own boot text or hello shows it.
 * @returns 0; BOARD_RESET_UNPROVEN is thrown
 */
export function resetCommand(host: Host, name: string, mode: ResetMode, flags: BoardFlags): Promise<number> {
  const purpose = mode === "run" ? "reset" : "download";
  return atWorkplace(host, flags, (place) =>
    withNamedBoard(place, name, { purpose }, async (terminal, board) => {
      const { method, tookUs, attempts } = await terminal.reset(mode);
      const isNew = () => terminal.hello !== undefined;
      if (mode === "run") await terminal.until(isNew, HELLO_US);
      const { hello } = terminal;
      if (flags.json === true) {
        const said =
          hello === undefined ? null : { firmware: hello.fw, version: hello.version, reset: hello.reset };
        writeLine(
          host.stdout,
          JSON.stringify({
            event: purpose,
            mac: terminal.identity.mac ?? null,
            method,
            tookMs: tookUs / 1_000,
            attempts,
            hello: said,
          }),
        );
        return EXIT.passed;
      }
      const tries = attempts.length > 1 ? `, after ${attempts.length - 1} other ways` : "";
      const what = mode === "run" ? "restarted" : "waits for a download";
      writeLine(
        host.stdout,
        `${labelOf(board)} ${what}: proven in ${formatDurationUs(tookUs)} by ${method}${tries}`,
      );
      if (hello !== undefined)
        writeLine(
          host.stdout,
          `  ${hello.fw} ${hello.version} on ${hello.chip}, ${shownMac(hello.mac)}: ${hello.reset}`,
        );
      return EXIT.passed;
    }),
  );
}
