import { BrokerServer, type BrokerServerOptions } from "fleetrig/broker";
import { US_PER_S, VirtualTime } from "fleetrig/kernel";
import type { ConnectPacket } from "fleetrig/protocol";
import { TestClient } from "../broker/bench.js";

/** A server in virtual time, and clients over links in memory. */
export class WatchedServer {
  readonly time = new VirtualTime();
  readonly server: BrokerServer;

  constructor(options: BrokerServerOptions = {}) {
    this.server = new BrokerServer({ time: this.time, sysIntervalS: 0, ...options });
  }

  connect(clientId: string, options: Partial<ConnectPacket> = {}): TestClient {
    const client = new TestClient(this.server.engine, `test:${clientId}`);
    client.connect(clientId, options);
    return client;
  }

  advanceS(seconds: number): void {
    this.time.advance(seconds * US_PER_S);
  }
}
