import type { Arrival, Stage } from "./arrival.js";
import type { WebEntrance } from "./web-entrance.js";

/** MQTT and HTTP on one port: what the client agreed on in its TLS handshake tells which it speaks. */
export class ProtocolFork implements Stage {
  constructor(
    private readonly mqtt: Stage,
    private readonly entrance: WebEntrance,
    private readonly web: Stage,
  ) {}

  enter(arrival: Arrival): void {
    const { alpn, serverName } = arrival.facts ?? {};
    const stage = this.entrance.speaksHttp(alpn, serverName) ? this.web : this.mqtt;
    stage.enter(arrival);
  }

  stop(): void {
    this.mqtt.stop();
    this.web.stop();
  }
}
