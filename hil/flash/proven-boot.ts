import type { BootEvidence, ResetEngine } from "../reset/reset-engine.js";
import type { BootControl, FlashLine } from "./flash-line.js";

const RESET_LINE = /rst:0x[0-9a-f]{1,8} \([A-Z0-9_]{1,40}\),boot:0x[0-9a-f]{1,8} \(([A-Z_]{1,40})/;
const WAITING = /waiting for download|wait usb download/;
/** Longer than any line of a ROM; what is longer comes from something else. */
const LINE_CHARACTERS = 300;

/**
 * Resets by the engine, which believes what the board says while it starts. For lines that nobody else follows; a board's log tells the engine
 * by itself.
 */
export function provenBoot(
  engine: Pick<ResetEngine, "reset" | "saw">,
  listen: FlashLine["listen"],
): BootControl {
  let line = "";
  listen({
    received: (bytes) => {
      for (const piece of (line + Buffer.from(bytes).toString("latin1")).split(/(?<=\n)/)) {
        line = piece.endsWith("\n") ? "" : piece.slice(-LINE_CHARACTERS);
        const evidence = piece.endsWith("\n") ? evidenceOf(piece) : undefined;
        if (evidence !== undefined) engine.saw(evidence);
      }
    },
    closed: () => {},
  });
  return {
    enterDownload: async () => void (await engine.reset("download")),
    startApplication: async () => void (await engine.reset("run")),
  };
}

function evidenceOf(line: string): BootEvidence | undefined {
  const boot = RESET_LINE.exec(line)?.[1];
  if (boot !== undefined) return { kind: "boot", isDownload: /^(?:DOWNLOAD|USB_BOOT)/.test(boot) };
  return WAITING.test(line) ? { kind: "waiting" } : undefined;
}
