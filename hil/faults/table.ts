import { DIRECTION, type FaultParameter } from "fleetrig/sim";

/** A fault that only a real board can have, as data: scenarios name it, the loader checks it, `list --faults` shows it. */
export interface BoardFaultDefinition {
  readonly description: string;
  readonly parameters: Readonly<Record<string, FaultParameter>>;
}

/** Faults of a board and of its serial line, by the name a scenario uses. Virtual devices skip them, and the report says so. */
export const BOARD_FAULTS: ReadonlyMap<string, BoardFaultDefinition> = new Map([
  [
    "serial.noise",
    {
      description: "Bytes on the serial line are changed, lost or doubled.",
      parameters: {
        errors: { kind: "share", description: "Chance of each byte to be another one.", default: 0.000_1 },
        drops: { kind: "share", description: "Chance of each byte to be lost.", default: 0 },
        duplicates: { kind: "share", description: "Chance of each byte to come twice.", default: 0 },
        direction: DIRECTION,
      },
    },
  ],
  [
    "serial.stall",
    {
      description: "The serial line stops now and then; nothing is lost.",
      parameters: {
        every: { kind: "duration", description: "From one stall to the next.", default: 1_000_000 },
        length: { kind: "duration", description: "How long each lasts.", default: 200_000 },
        direction: DIRECTION,
      },
    },
  ],
  ["board.unplug", { description: "The cable is out until the fault is lifted.", parameters: {} }],
  [
    "board.freeze",
    { description: "The board stands still: its clock stops, nothing is lost.", parameters: {} },
  ],
]);
