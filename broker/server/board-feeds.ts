import type { EventSink } from "fleetrig/kernel";
import type { BrokerHooks, DropReason, MemoryLevel } from "../engine/index.js";
import type { ListenerObserver } from "../listeners/index.js";
import type { EventBoard } from "./server-events.js";

/** Where a board hears of what it tells: the engine's events, its hooks, and the listeners. */

export const boardSink = (board: EventBoard): EventSink => ({
  emit: (event) => {
    if (event.type === "broker.dropped") {
      const { atUs, clientId, topic } = event;
      board.emit("dropped", { atUs, clientId, topic, reason: event.reason as DropReason });
    } else if (event.type === "broker.memory") {
      board.emit("memory", { atUs: event.atUs, level: event.level as MemoryLevel });
    } else if (event.type === "broker.client-conflict") {
      const { atUs, clientId, addresses } = event;
      board.emit("conflict", { atUs, clientId, addresses });
    }
  },
});

export const boardHooks = (board: EventBoard): Partial<BrokerHooks> => ({
  connected: (info) => board.emit("connected", info),
  disconnected: (info) => board.emit("disconnected", info),
  refused: (info) => board.emit("refused", info),
  subscribed: (clientId, filters) => board.emit("subscribed", { clientId, filters }),
  unsubscribed: (clientId, filters) => board.emit("unsubscribed", { clientId, filters }),
});

export const boardListeners = (board: EventBoard): ListenerObserver => ({
  refused: (failure, remoteAddress) => board.emit("malformed", { failure, remoteAddress }),
  rejected: (rejection, endpoint) => board.emit("rejected", { ...rejection, endpoint }),
  certificates: (notice, endpoint) => board.emit("certificates", { ...notice, endpoint }),
});
