import { readFileSync } from "node:fs";
import { type CloudServer, type CloudServerOptions, createCloudServer } from "fleetrig/broker";
import type { RunEvent } from "fleetrig/kernel";
import { expect } from "vitest";

/** The one of AWS's examples, so that a default would be noticed. */
const ACCOUNT_ID = "123456789012";

/** A cloud on free ports of loopback, as other people's clients find it. */
export interface CloudUnderTest {
  readonly server: CloudServer;
  /** Plain HTTP: control plane and data plane. */
  readonly url: string;
  /** Plain MQTT. */
  readonly mqttUrl: string;
  /** PEM of the CA that devices have to trust. */
  readonly ca: string;
  /** Fails when something went wrong that is not the client's fault. */
  stop(): Promise<void>;
}

export async function startCloudUnderTest(options: CloudServerOptions = {}): Promise<CloudUnderTest> {
  const faults: RunEvent[] = [];
  const server = await createCloudServer({
    ports: { mqtt: 0, mqtts: 0, tls: 0, https: 0, http: 0 },
    account: { accountId: ACCOUNT_ID },
    ...options,
    events: { emit: (event) => void (event.type === "api.fault" && faults.push(event)) },
  });
  return {
    server,
    url: `http://127.0.0.1:${server.port("http")}`,
    mqttUrl: `mqtt://127.0.0.1:${server.port("mqtt")}`,
    ca: readFileSync(server.caPath, "utf8"),
    stop: async () => {
      await server.stop();
      expect(faults).toEqual([]);
    },
  };
}
