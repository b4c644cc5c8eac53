import { ApplicationMessage } from "fleetrig/broker";
import { FramedPublish, PublishFrame, type PublishPacket } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";

/** A message as it comes out of a read of `readBytes`. */
function received(payloadBytes: number, readBytes: number): ApplicationMessage {
  const read = new Uint8Array(readBytes).fill(7);
  const payload = payloadBytes === 0 ? new Uint8Array(0) : read.subarray(10, 10 + payloadBytes);
  const fields = { type: "publish", topic: "t", payload, qos: 0, retain: false, dup: false } as const;
  const frame = new PublishFrame(fields, 4, read, 0, 10 + payloadBytes, 0);
  const packet: PublishPacket = new FramedPublish(fields, frame);
  const message = new ApplicationMessage(packet, "c", 0);
  message.cameAs(packet);
  return message;
}

describe("ApplicationMessage.detach", () => {
  it("copies a payload that is a small part of a large read, and lets go of the read", () => {
    const message = received(20, 4_096);
    message.detach();
    expect(message.payload).toEqual(new Uint8Array(20).fill(7));
    expect(message.payload.buffer.byteLength).toBe(20);
    expect(message.frame).toBeUndefined();
  });

  it("lets go of the read of a message without payload too", () => {
    const message = received(0, 4_096);
    message.detach();
    expect(message.frame).toBeUndefined();
  });

  it("leaves alone what wastes no more than allowed", () => {
    const message = received(20, 4_096);
    message.detach(4_096);
    expect(message.payload.buffer.byteLength).toBe(4_096);
    expect(message.frame).toBeDefined();
  });

  it("keeps sharing what is encoded when the message goes to several", () => {
    const message = received(20, 4_096);
    message.share();
    message.detach();
    expect(message.frame?.isShared).toBe(true);
    expect(message.frame?.heldBytes).toBe(0);
  });
});
