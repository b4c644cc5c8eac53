import type { Clock } from "fleetrig/kernel";
import { Demultiplexer } from "./demultiplexer.js";
import { FRAME } from "./frame.js";
import { type Hello, parseHello } from "./hello.js";
import { createLinkCounters } from "./link-counters.js";

/** Who hears of a line that is only listened to. */
export interface LaneListenerHandlers {
  /** Logs. @param atUs When the first byte came. The bytes are the handler's to keep. */
  text(bytes: Uint8Array, atUs: number): void;
  /** The board said who it is: when it started, or to whoever has a session with it. */
  hello?(hello: Hello): void;
}

/** Hears a board without ever writing to it: what it logs, and the hellos that it says by itself. For boards of any firmware. */
export class LaneListener {
  private readonly demultiplexer: Demultiplexer;

  constructor(clock: Clock, handlers: LaneListenerHandlers) {
    this.demultiplexer = new Demultiplexer(clock, createLinkCounters(), {
      text: (bytes, atUs) => handlers.text(bytes, atUs),
      frame: ({ type, payload }) => {
        const isHello = type === FRAME.boot || type === FRAME.opened;
        const hello = isHello ? parseHello(payload) : undefined;
        if (hello !== undefined) handlers.hello?.(hello);
      },
    });
  }

  /** @param atUs When the host had them. */
  received(bytes: Uint8Array, atUs: number): void {
    this.demultiplexer.received(bytes, atUs);
  }

  /** Hands out what it holds: nothing more will come. */
  stop(): void {
    this.demultiplexer.stop();
  }
}
