import type { Listener } from "../listeners/index.js";
import type { ObservedServer } from "../observe/index.js";

/** What observers are told of an open listener. */
export function listenerReading(listener: Listener): ReturnType<ObservedServer["listeners"]>[number] {
  const { accepted, dropped } = listener.counts();
  const { url, transport } = listener.endpoint;
  return {
    url,
    transport,
    isListening: true,
    openSockets: listener.connections(),
    acceptedSockets: accepted,
    droppedSockets: dropped,
  };
}
