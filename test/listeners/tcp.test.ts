import { type Listener, openListener } from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import type { PacketAcceptor } from "fleetrig/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { RawPeer } from "./raw-peer.js";
import { answerConnect, RecordingAcceptor } from "./recording-acceptor.js";

const CONNECT_V4 = "10 0d 0004 4d515454 04 02 003c 0001 61";
const CONNECT_V5 = "10 0e 0004 4d515454 05 02 003c 00 0001 61";
const CONNACK_V4 = "20020000";
const CONNACK_V5 = "2003000000";

let listener: Listener | undefined;
const time = new VirtualTime();

async function listen(acceptor: PacketAcceptor): Promise<RawPeer> {
  listener = await openListener(
    { port: 0 },
    {
      acceptor,
      maxPacketBytes: 1_000,
      connectDeadlineMs: 10_000,
      clock: time.lane(1),
    },
  );
  return RawPeer.dial(listener.port);
}

afterEach(async () => {
  await listener?.stop();
  listener = undefined;
});

describe("openListener", () => {
  it("hands decoded packets to the acceptor's receiver and writes what it sends", async () => {
    const acceptor = new RecordingAcceptor();
    const peer = await listen(acceptor);
    peer.write(CONNECT_V4);
    expect(await peer.hex(4)).toBe(CONNACK_V4);
    const recorder = await acceptor.untilAccepted();
    expect(recorder.packets[0]).toMatchObject({ type: "connect", clientId: "a", keepAliveS: 60 });
    expect(recorder.link.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(listener?.connections()).toBe(1);
  });

  it("answers in the version of the CONNECT", async () => {
    const peer = await listen(new RecordingAcceptor());
    peer.write(CONNECT_V5);
    expect(await peer.hex(5)).toBe(CONNACK_V5);
  });

  it("counts accepted bytes as buffered until they are handed over", async () => {
    const buffered: number[] = [];
    const acceptor = new RecordingAcceptor((packet, link) => {
      answerConnect(packet, link);
      buffered.push(link.bufferedBytes);
    });
    const peer = await listen(acceptor);
    peer.write(`${CONNECT_V4} c000 c000`);
    expect(await peer.hex(8)).toBe(`${CONNACK_V4}d000d000`);
    expect(buffered).toEqual([4, 6, 8]);
    expect((await acceptor.untilAccepted()).link.bufferedBytes).toBe(0);
  });

  it("closes after everything sent has gone out, and drops what is sent later", async () => {
    const acceptor = new RecordingAcceptor((packet, link) => {
      answerConnect(packet, link);
      link.close();
      link.close();
      link.send({ type: "pingresp" });
    });
    const peer = await listen(acceptor);
    peer.write(`${CONNECT_V4} c000`);
    expect(await peer.untilEnd()).toBe(CONNACK_V4);
    const recorder = await acceptor.untilAccepted();
    expect(await recorder.untilClosed()).toEqual(["local"]);
    expect(recorder.packets).toHaveLength(1);
  });

  it("destroys at once: what was not transmitted is lost", async () => {
    const acceptor = new RecordingAcceptor((packet, link) => {
      answerConnect(packet, link);
      link.destroy();
      link.destroy();
    });
    const peer = await listen(acceptor);
    peer.write(CONNECT_V4);
    expect(await peer.untilEnd()).toBe("");
    expect(await (await acceptor.untilAccepted()).untilClosed()).toEqual(["local"]);
  });

  it("answers a client that has already ended its side", async () => {
    const acceptor = new RecordingAcceptor();
    const peer = await listen(acceptor);
    peer.write(`${CONNECT_V4} c000`);
    peer.end();
    expect(await peer.untilEnd()).toBe(`${CONNACK_V4}d000`);
    expect((await acceptor.untilAccepted()).closings).toEqual(["closed"]);
  });

  it("reports a reset as a reset", async () => {
    const acceptor = new RecordingAcceptor();
    const peer = await listen(acceptor);
    peer.write(CONNECT_V4);
    await peer.hex(4);
    peer.reset();
    expect(await (await acceptor.untilAccepted()).untilClosed()).toEqual(["reset"]);
  });

  it("never writes DISCONNECT to a 3.1.1 client: only clients send it there (3.1.1 §3.14)", async () => {
    const acceptor = new RecordingAcceptor((packet, link) => {
      answerConnect(packet, link);
      link.send({ type: "disconnect", reasonCode: 0x8e });
      link.close();
    });
    const peer = await listen(acceptor);
    peer.write(CONNECT_V4);
    expect(await peer.untilEnd()).toBe(CONNACK_V4);
  });
});

describe("openListener, refusals", () => {
  it.each([
    ["PUBLISH with QoS 3 in MQTT 5", `${CONNECT_V5} 36 00`, `${CONNACK_V5}e00181`, "malformed"],
    ["a packet over the limit in MQTT 5", `${CONNECT_V5} 30 e907`, `${CONNACK_V5}e00195`, "too-large"],
    ["a second CONNECT in MQTT 5", `${CONNECT_V5} ${CONNECT_V5}`, `${CONNACK_V5}e00182`, "malformed"],
    ["PUBLISH with QoS 3 in MQTT 3.1.1", `${CONNECT_V4} 36 00`, CONNACK_V4, "malformed"],
    ["a bad CONNECT of MQTT 5", "10 0e 0004 4d515454 05 03 003c 00 0001 61", "2003008100", "malformed"],
    ["a bad CONNECT of MQTT 3.1.1", "10 0d 0004 4d515454 04 03 003c 0001 61", "", "malformed"],
    ["anything before CONNECT [MQTT-3.1.0-1]", "c0 00", "", "malformed"],
    ["a CONNECT that announces 256 MB", "10 ffffff7f", "", "too-large"],
  ])("says why and closes on %s", async (_, sent, answer, reason) => {
    const acceptor = new RecordingAcceptor();
    const peer = await listen(acceptor);
    peer.write(sent);
    expect(await peer.untilEnd()).toBe(answer);
    expect((await acceptor.untilAccepted()).closings).toEqual([reason]);
  });

  it("tells the log why bytes were refused", async () => {
    const lines: string[] = [];
    listener = await openListener(
      { port: 0 },
      {
        acceptor: new RecordingAcceptor(),
        maxPacketBytes: 1_000,
        connectDeadlineMs: 10_000,
        clock: time.lane(1),
        observer: {
          refused: ({ code }, remoteAddress) => lines.push(`${remoteAddress.split(":")[0]} ${code}`),
        },
      },
    );
    const peer = await RawPeer.dial(listener.port);
    peer.write("00");
    await peer.untilEnd();
    expect(lines).toEqual(["127.0.0.1 PROTOCOL_MALFORMED_PACKET"]);
  });

  it("closes a socket without CONNECT at the absolute deadline, and no other", async () => {
    const acceptor = new RecordingAcceptor();
    const idle = await listen(acceptor);
    const slow = await acceptor.untilAccepted();
    const served = await RawPeer.dial(listener!.port);
    served.write(CONNECT_V4);
    await served.hex(4);
    idle.write("10 0d 0004");
    time.advance(9_999_999);
    expect(slow.closings).toEqual([]);
    time.advance(1);
    expect(await idle.untilEnd()).toBe("");
    expect(await slow.untilClosed()).toEqual(["local"]);
    expect((await acceptor.untilAccepted(2)).closings).toEqual([]);
  });

  it("does not wait for ever for a client that does not end its side", async () => {
    const acceptor = new RecordingAcceptor((_, link) => link.close());
    const peer = await listen(acceptor);
    peer.write(CONNECT_V4);
    await (await acceptor.untilAccepted()).untilClosed();
    expect(listener?.connections()).toBe(1);
    time.advance(2_000_000);
    await peer.untilEnd();
    await expect.poll(() => listener?.connections()).toBe(0);
  });
});

describe("openListener, stop", () => {
  it("flushes, closes every link and frees the port; stopping twice is the same", async () => {
    const acceptor = new RecordingAcceptor();
    const peer = await listen(acceptor);
    peer.write(CONNECT_V5);
    await peer.hex(5);
    const recorder = await acceptor.untilAccepted();
    recorder.link.send({ type: "disconnect", reasonCode: 0x8b });
    const { port } = listener!;
    await Promise.all([listener!.stop(), listener!.stop()]);
    expect(await peer.untilEnd()).toBe(`${CONNACK_V5}e0018b`);
    expect(recorder.closings).toEqual(["local"]);
    expect(listener!.connections()).toBe(0);
    await expect(RawPeer.dial(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("says so when the port is taken", async () => {
    await listen(new RecordingAcceptor());
    await expect(
      openListener(
        { port: listener!.port },
        {
          acceptor: new RecordingAcceptor(),
          maxPacketBytes: 1_000,
          connectDeadlineMs: 10_000,
          clock: time.lane(1),
        },
      ),
    ).rejects.toMatchObject({ code: "LISTENER_UNAVAILABLE" });
  });
});
