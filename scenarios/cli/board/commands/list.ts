import { portHolders, shownMac } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { writeTable } from "../../text-table.js";
import { allBoards, boardAt, type FoundBoard } from "../find-board.js";
import { withBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags, type Workplace } from "../workplace.js";

/** What the command line says. */
export interface BoardListFlags extends BoardFlags {
  readonly probe?: boolean;
}

/** What keeps a board from being used now. */
interface BoardState {
  readonly state: "free" | "leased" | "open" | "silent";
  readonly text: string;
}

/**
 * `fleetrig board list`: which boards are there. Nothing is opened, and so nothing reset, unless `--probe` asks them who they are.
 * @returns 0
 */
export function boardListCommand(host: Host, flags: BoardListFlags): Promise<number> {
  return atWorkplace(host, flags, async (place) => {
    let boards = allBoards(place);
    const silent = flags.probe === true ? await probe(place, boards) : new Map<string, string>();
    boards = boards.map(({ port }) => boardAt(place, port));
    const states = statesOf(place, boards, silent);
    if (flags.json === true)
      boards.forEach((board, at) => writeLine(host.stdout, JSON.stringify(summary(board, states[at]!))));
    else if (boards.length > 0)
      writeTable(
        host.stdout,
        COLUMNS,
        boards.map((board, at) => cells(board, states[at]!)),
      );
    else writeLine(host.stdout, "No board is attached. fleetrig board doctor looks for reasons.");
    return EXIT.passed;
  });
}

/** Asks every board that nobody else uses, all at once. @returns why those are silent that are, by path */
async function probe(place: Workplace, boards: readonly FoundBoard[]): Promise<Map<string, string>> {
  const silent = new Map<string, string>();
  await Promise.all(
    boards.map(async (board) => {
      try {
        const hello = await withBoard(place, board, { purpose: "list --probe" }, (terminal) =>
          terminal.converse(),
        );
        if (hello === undefined) silent.set(board.port.path, "no hello");
      } catch (error) {
        if (!(error instanceof FleetrigError)) throw error;
        if (error.code !== "BOARD_LEASED") silent.set(board.port.path, error.sentence);
      }
    }),
  );
  return silent;
}

function statesOf(
  { leases, host }: Workplace,
  boards: readonly FoundBoard[],
  silent: ReadonlyMap<string, string>,
): readonly BoardState[] {
  const holders = new Map(leases.holders().map((holder) => [holder.key, holder]));
  const { byPath } = portHolders(
    boards.map(({ port }) => port.path),
    host.machine.files,
  );
  return boards.map(({ key, mac, port }) => {
    const holder = holders.get(key) ?? (mac === undefined ? undefined : holders.get(`mac:${mac}`));
    if (holder !== undefined) return { state: "leased", text: `${holder.purpose} (${holder.pid})` };
    // Whoever runs a virtual board has its tty open, too.
    const [user] = (byPath.get(port.path) ?? []).filter(({ pid }) => pid !== port.virtual?.pid);
    if (user !== undefined) return { state: "open", text: `open in ${user.program} (${user.pid})` };
    const why = silent.get(port.path);
    return why === undefined ? { state: "free", text: "free" } : { state: "silent", text: why };
  });
}

const COLUMNS = ["board", "chip", "mac", "adapter", "usb", "port", "firmware", "state"] as const;

function cells({ known, mac, isMacGuess, seen, port }: FoundBoard, { text }: BoardState): readonly string[] {
  const chip = port.virtual?.chip ?? seen?.chip ?? "-";
  const adapter = port.virtual === undefined ? port.adapter.name : `virtual ${port.virtual.kind}`;
  const shown = mac === undefined ? "-" : `${shownMac(mac)}${isMacGuess ? "?" : ""}`;
  const firmware = (seen?.firmware ?? "") === "" ? "-" : `${seen?.firmware} ${seen?.version}`;
  return [known?.name ?? "-", chip, shown, adapter, port.usb?.path ?? "-", port.path, firmware, text];
}

function summary({ known, mac, isMacGuess, key, seen, port }: FoundBoard, { state, text }: BoardState) {
  const { adapter, usb, virtual } = port;
  return {
    name: known?.name ?? null,
    tags: [...(known?.tags ?? []), ...(virtual?.tags ?? [])],
    chip: virtual?.chip ?? seen?.chip ?? null,
    mac: mac ?? null,
    macIsGuess: isMacGuess,
    key,
    adapter: adapter.name,
    kind: adapter.kind,
    virtual: virtual?.kind ?? null,
    usbPath: usb?.path ?? null,
    usbId: usb === undefined ? null : `${usb.vendorId}:${usb.productId}`,
    port: port.path,
    firmware: seen?.firmware || null,
    version: seen?.version || null,
    seenMs: seen?.seenMs ?? null,
    state,
    stateText: text,
  };
}
