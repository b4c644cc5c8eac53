import type { Cloud } from "fleetrig/broker";
import type { Clock, JsonValue } from "fleetrig/kernel";
import type { Packet } from "fleetrig/protocol";
import type { PacketNote } from "../evidence.js";
import type { CaseParameters } from "../parameters.js";

/** What becomes of a packet at the endpoint. */
type Passage = "pass" | "withhold";

/** One connection of the device, as a script sees it. */
export interface Line {
  /** Its number in the evidence. */
  readonly number: number;
  /** Empty until CONNECT came. */
  readonly clientId: string;
  /** From the CONNECT; Infinity where the device sets no limit. */
  readonly maximumPacketBytes: number;
  /** Sends after all what was withheld. */
  answer(packet: Packet): void;
  /** The server ends the connection, without a word. */
  drop(): void;
}

/** What a script has to work with. */
export interface Stage {
  readonly clock: Clock;
  readonly parameters: CaseParameters;
  /** The server behind the endpoint. */
  readonly cloud: Cloud;
  /** Ends all connections. */
  dropAll(): void;
  /** Calls back in that time, unless the case is over. */
  after(delayUs: number, task: () => void): void;
  /** Writes into the evidence what a service says of the device. */
  outcome(name: string, value: JsonValue): void;
}

/** How the endpoint behaves in one case. Whatever a script does not say is as with any server. */
export interface CaseScript {
  fromDevice?(packet: Packet, line: Line): Passage;
  fromServer?(packet: Packet, line: Line): Passage;
  /** A packet came: it goes on after this, or is withheld. One of the endpoint's has left. */
  noted?(note: PacketNote, line: Line): void;
  /** The server has dealt with a packet of the device. */
  served?(note: PacketNote, line: Line): void;
}
