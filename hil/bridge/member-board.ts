import type { JsonObject, JsonValue } from "fleetrig/kernel";
import type { BoardControls } from "fleetrig/sim";
import type { TunnelLine } from "./tunnel.js";

/** A board as the member of the fleet that it is works with it. */
export interface MemberBoard extends TunnelLine {
  /** What a scenario does to the board itself. */
  readonly controls: BoardControls;
  /**
   * Sends a command; only while the board is ready. `answered` is called once, also when the answer can no longer come.
   */
  command(op: string, args: JsonObject, answered?: (answer: CommandAnswer) => void): void;
  toHostUs(boardUs: number): number;
  toBoardUs(hostUs: number): number;
  /** @returns false when boards have no such fault. */
  setFault(fault: string, active: boolean, detail: JsonObject): boolean;
  /** Nothing can be done for it any more. */
  giveUp(reason: string): void;
  /** Names who hears of the board; a board that is ready says so at once. */
  listen(listener: BoardListener): void;
}

/** What comes of a command. */
export type CommandAnswer =
  | { readonly ok: true; readonly value: JsonValue | undefined }
  | {
      readonly ok: false;
      /** The board's word, or `rebooted`, `lost` where it could not answer. */
      readonly error: string;
      readonly message: string;
    };

/** What a board tells its member. */
export interface BoardListener {
  /**
   * A session is open and the clocks are fitted.
   * @param thing What the board remembers to be.
   * @param isNewStart It has started since it was last ready, and knows only what it remembers.
   */
  ready(thing: string | undefined, isNewStart: boolean): void;
  /** The session is over: what was under way is lost. */
  lost(reason: string): void;
  event(event: JsonObject): void;
  network(message: JsonObject): void;
  networkData(bytes: Uint8Array): void;
}
