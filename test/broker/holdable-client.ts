import type { ConnectPacket, Packet } from "fleetrig/protocol";
import { type Bench, TestClient } from "./bench.js";

/** A client whose link can be held back, as TCP is: what it sends meanwhile waits on its side. */
export class HoldableClient extends TestClient {
  readonly waiting: { readonly packet: Packet; readonly wireBytes: number }[] = [];
  isHeld = false;

  static connect(bench: Bench, clientId: string, options: Partial<ConnectPacket> = {}): HoldableClient {
    const client = new HoldableClient(bench.broker, `test:${clientId}`);
    client.connect(clientId, options);
    return client;
  }

  pauseReading(): void {
    this.isHeld = true;
  }

  resumeReading(): void {
    this.isHeld = false;
    while (!this.isHeld && this.waiting.length > 0) {
      const { packet, wireBytes } = this.waiting.shift()!;
      super.say(packet, wireBytes);
    }
  }

  override say(packet: Packet, wireBytes = 2): void {
    if (this.isHeld) this.waiting.push({ packet, wireBytes });
    else super.say(packet, wireBytes);
  }
}
