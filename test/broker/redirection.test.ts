import { REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";

const ELSEWHERE = { serverReference: "other.example:8883", reasonString: "This region is closing." };

describe("server redirection", () => {
  it.each([REASON.useAnotherServer, REASON.serverMoved])(
    "refuses CONNECT with reason code %i and says where to go (§4.11)",
    (refuse) => {
      const bench = new Bench({ hooks: { authorizeConnect: () => ({ refuse, ...ELSEWHERE }) } });
      const client = bench.connect("client");
      expect(client.connack).toMatchObject({ reasonCode: refuse, sessionPresent: false, ...ELSEWHERE });
      expect(client.state).toBe("closed");
      const legacy = bench.connect("legacy", { protocolVersion: 4 });
      expect(legacy.connack).toEqual({ type: "connack", sessionPresent: false, reasonCode: refuse });
      expect(bench.broker.statistics().refused).toBe(2);
    },
  );

  it("sends a connected client elsewhere; its will goes out like after any loss", () => {
    const bench = new Bench();
    const watcher = bench.connect("watcher");
    watcher.subscribe(["will"]);
    const will = { topic: "will", payload: Buffer.from("gone"), qos: 1, retain: false } as const;
    const client = bench.connect("client", { will });
    const isSent = bench.broker.disconnectClient("client", { reasonCode: REASON.serverMoved, ...ELSEWHERE });
    expect(isSent).toBe(true);
    expect(client.packets("disconnect")).toEqual([
      { type: "disconnect", reasonCode: REASON.serverMoved, ...ELSEWHERE },
    ]);
    expect(watcher.delivered).toEqual(["will=gone"]);
    expect(bench.eventsOf("broker.disconnected")).toMatchObject([
      { clientId: "client", reason: "SERVER_INITIATED_DISCONNECT", clientInitiated: false },
    ]);
    expect(bench.broker.disconnectClient("client", { reasonCode: REASON.serverMoved })).toBe(false);
  });

  it("leaves out what is too large for the client, then the whole DISCONNECT [MQTT-3.14.2-3] [MQTT-3.14.2-4]", () => {
    const details = {
      reasonString: "r".repeat(30),
      userProperties: [["name", "v".repeat(30)]] as const,
    };
    for (const [maximumPacketBytes, expected] of [
      [200, [{ type: "disconnect", reasonCode: 0x98, ...details }]],
      [60, [{ type: "disconnect", reasonCode: 0x98, reasonString: details.reasonString }]],
      [24, [{ type: "disconnect", reasonCode: 0x98 }]],
    ] as const) {
      const bench = new Bench({ profile: "oasis" });
      const client = bench.connect("client", { maximumPacketBytes });
      bench.broker.disconnectClient("client", { reasonCode: REASON.administrativeAction, ...details });
      expect(client.packets("disconnect")).toEqual(expected);
      expect(client.state).toBe("closed");
    }
  });
});
