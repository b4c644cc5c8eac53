import {
  type AttachedPort,
  type BenchFileBoard,
  globMatches,
  namedPort,
  normalMac,
  shownMac,
  resolveIdentity,
} from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { SeenBoard } from "./seen-boards.js";
import type { Workplace } from "./workplace.js";

/** A board as far as it is known without opening its port. */
export interface FoundBoard {
  readonly port: AttachedPort;
  /** `BoardIdentity.key`: what leases go by. */
  readonly key: string;
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string | undefined;
  /** The MAC is what was last seen at this place; another board may be there by now. */
  readonly isMacGuess: boolean;
  readonly known: BenchFileBoard | undefined;
  readonly seen: SeenBoard | undefined;
}

const ADDRESS = /^(?:\/|[a-z0-9]+:\/\/)/;
/** A port, and no name. */
export const isAddress = (text: string): boolean => ADDRESS.test(text);
const IS_GLOB = /[*?]/;
/** Boards named in a hint. */
const MAX_NAMED = 8;

/** As people call it: its name, its MAC, or where it is. */
export function labelOf({ known, mac, port }: Pick<FoundBoard, "known" | "mac" | "port">): string {
  return known?.name ?? (mac === undefined ? port.path : shownMac(mac));
}

/** All boards that a port shows, and those that the bench file has at addresses of the network. */
export function allBoards(place: Workplace): readonly FoundBoard[] {
  const ports = place.listPorts();
  const paths = new Set(ports.flatMap(({ path, byId, byPath }) => [path, ...byId, ...byPath]));
  const remote = place.file.boards.flatMap(({ port }) =>
    port === undefined || paths.has(port) || IS_GLOB.test(port) || port.startsWith("/")
      ? []
      : [namedPort(port)],
  );
  return [...ports, ...remote].map((port) => boardAt(place, port));
}

/** What is known of the board at a port. */
export function boardAt({ file, seen }: Workplace, port: AttachedPort): FoundBoard {
  const { key, mac: sureMac } = resolveIdentity({ port, address: port.address });
  const guess = sureMac === undefined ? (macInFile(file.boards, port) ?? seen.at(key)?.mac) : undefined;
  const mac = sureMac ?? guess;
  const known = file.boards.find((board) =>
    board.mac === undefined ? isAt(board.port, port) : board.mac === mac,
  );
  return {
    port,
    key,
    mac,
    isMacGuess: guess !== undefined,
    known,
    seen: mac === undefined ? undefined : seen.byMac(mac),
  };
}

const macInFile = (boards: readonly BenchFileBoard[], port: AttachedPort): string | undefined =>
  boards.find((board) => board.mac !== undefined && isAt(board.port, port))?.mac;

function isAt(pattern: string | undefined, { path, byId, byPath }: AttachedPort): boolean {
  return pattern !== undefined && [path, ...byId, ...byPath].some((name) => globMatches(pattern, name));
}

/**
 * The board that a word of the command line means: a MAC, a name or tag of the bench file, a port or its USB socket, an address.
 * @throws FleetrigError BOARD_UNKNOWN, BOARD_AMBIGUOUS (exit 2), BOARD_ABSENT (exit 3), PORT_ADDRESS
 */
export function findBoard(place: Workplace, text: string): FoundBoard {
  const boards = allBoards(place);
  if (isAddress(text)) return atAddress(place, boards, text);
  const matches = MEANINGS.map((meaning) => boards.filter((board) => meaning(board, text))).find(
    (some) => some.length > 0,
  );
  const [only, ...others] = matches ?? [];
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) throw ambiguous(text, [only, ...others]);
  throw missing(place, boards, text);
}

/** In this order: the first by which anything is meant counts. */
const MEANINGS: readonly ((board: FoundBoard, text: string) => boolean)[] = [
  ({ mac }, text) => mac !== undefined && mac === normalMac(text),
  ({ known }, text) => known?.name === text,
  ({ port }, text) => port.path === `/dev/${text}` || port.usb?.path === text,
  ({ known, port }, text) =>
    known?.tags.includes(text) === true || port.virtual?.tags?.includes(text) === true,
];

function atAddress(place: Workplace, boards: readonly FoundBoard[], text: string): FoundBoard {
  const target = place.host.machine.files.resolve(text) ?? text;
  const listed = boards.find(({ port }) => port.path === target || port.path === text || isAt(text, port));
  return listed ?? boardAt(place, namedPort(text));
}

/** `name (at port)`, one after the other. */
const named = (boards: readonly FoundBoard[]): string => {
  const shown = boards.slice(0, MAX_NAMED).map((board) => {
    const label = labelOf(board);
    return label === board.port.path ? label : `${label} at ${board.port.path}`;
  });
  const left = boards.length - shown.length;
  return left > 0 ? `${shown.join(", ")} and ${left} more` : shown.join(", ");
};

const ambiguous = (text: string, boards: readonly FoundBoard[]): FleetrigError =>
  new FleetrigError("BOARD_AMBIGUOUS", `${text} means several boards.`, {
    hint: `Name one of them: ${named(boards)}.`,
    context: { board: text, ports: boards.map(({ port }) => port.path) },
    exitCode: EXIT.usage,
  });

function missing({ file, seen }: Workplace, boards: readonly FoundBoard[], text: string): FleetrigError {
  const there = boards.length === 0 ? "No board is attached" : `Attached: ${named(boards)}`;
  const mac = normalMac(text);
  const inFile = file.boards.find(
    (board) => board.name === text || board.tags.includes(text) || (mac !== undefined && board.mac === mac),
  );
  const before = mac === undefined ? undefined : seen.byMac(mac);
  if (inFile === undefined && before === undefined)
    return new FleetrigError("BOARD_UNKNOWN", `There is no board ${text}.`, {
      hint: `${there}. fleetrig board list --probe asks boards who they are.`,
      context: { board: text },
      exitCode: EXIT.usage,
    });
  return new FleetrigError("BOARD_ABSENT", `The board ${text} is known, and no port shows it.`, {
    hint: `${there}. Is it plugged in? fleetrig board list --probe asks those that are nameless.`,
    context: { board: text },
  });
}
