import { element, table } from "./element.js";
import { read, send } from "./session.js";
import type { View } from "./view.js";

interface Connection {
  readonly clientId: string;
  readonly isConnected: boolean;
  readonly remoteAddress: string;
  readonly protocolVersion: string;
  readonly connectedS: number;
  readonly subscriptions: number;
  readonly receivedMessages: number;
  readonly sentMessages: number;
  readonly queuedMessages: number;
}

const state = ({ isConnected, connectedS }: Connection): string =>
  isConnected ? `for ${Math.round(connectedS)} s` : "away";

const disconnect = ({ clientId, isConnected }: Connection): Node | string =>
  isConnected
    ? element("button", { type: "button", click: () => void send("disconnect", { clientId }) }, "Disconnect")
    : "";

export const connections: View = {
  title: "Connections",
  async refresh(place) {
    const { total, clients } = await read<{ total: number; clients: readonly Connection[] }>("connections");
    place.replaceChildren(
      element("p", {}, `${total} clients with a session; the first ${clients.length} by name.`),
      table(
        {
          Client: ({ clientId }: Connection) => clientId,
          Connected: state,
          Address: ({ remoteAddress }) => remoteAddress,
          MQTT: ({ protocolVersion }) => protocolVersion,
          Subscriptions: ({ subscriptions }) => String(subscriptions),
          In: ({ receivedMessages }) => String(receivedMessages),
          Out: ({ sentMessages }) => String(sentMessages),
          Queued: ({ queuedMessages }) => String(queuedMessages),
          "": disconnect,
        },
        clients,
        "No client has connected yet.",
      ),
    );
  },
};
