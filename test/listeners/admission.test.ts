import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Listener,
  type ListenerOptions,
  openListener,
  parseListenerUrl,
  type Rejection,
  SocketBudget,
} from "fleetrig/broker";
import { VirtualTime } from "fleetrig/kernel";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { readDescriptorLimit } from "../../broker/listeners/socket-budget.js";
import { RawPeer } from "./raw-peer.js";
import { RecordingAcceptor } from "./recording-acceptor.js";

const CONNECT = "100d00044d5154540402003c000161";
const CONNACK = "20020000";

const listeners: Listener[] = [];
const rejections: Rejection[] = [];
const time = new VirtualTime();
let folder: string | undefined;

async function listen(
  where: string | ListenerOptions,
  more: { authorizes?: boolean; budget?: SocketBudget } = {},
) {
  const acceptor = new RecordingAcceptor();
  const listener = await openListener(where, {
    acceptor,
    maxPacketBytes: 100_000,
    connectDeadlineMs: 10_000,
    clock: time.lane(1),
    observer: { rejected: (rejection) => rejections.push(rejection) },
    ...more,
  });
  listeners.push(listener);
  return { listener, acceptor };
}

async function served(listener: Listener): Promise<RawPeer> {
  const peer = await RawPeer.dial(listener.port);
  peer.write(CONNECT);
  expect(await peer.hex(4)).toBe(CONNACK);
  return peer;
}

/** What a client reads that is reset at once, or a little later. */
const turnedAway = ({ port }: Listener): Promise<string> =>
  RawPeer.dial(port).then(
    (peer) => peer.untilEnd(),
    () => "",
  );

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.stop();
  rejections.length = 0;
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

describe("listener URLs", () => {
  it.each([
    ["mqtt://127.0.0.1:0", { transport: "tcp", host: "127.0.0.1", port: 0 }],
    ["mqtt://localhost", { transport: "tcp", host: "localhost", port: 1883 }],
    ["mqtt://:1884", { transport: "tcp", host: "127.0.0.1", port: 1884 }],
    ["mqtt://", { transport: "tcp", host: "127.0.0.1", port: 1883 }],
    ["mqtts://[::1]:0/", { transport: "tls", host: "::1", port: 0 }],
    ["mqtts://[::]", { transport: "tls", host: "::", port: 8883 }],
    ["ws://host:80", { transport: "ws", host: "host", port: 80, path: "/mqtt" }],
    ["ws://host/a/b", { transport: "ws", host: "host", port: 80, path: "/a/b" }],
    ["wss://host:0/", { transport: "wss", host: "host", port: 0, path: "/mqtt" }],
    ["unix:/run/broker.sock", { transport: "unix", path: "/run/broker.sock" }],
    ["unix:///run/broker.sock", { transport: "unix", path: "/run/broker.sock" }],
  ])("reads %s", (url, options) => {
    expect(parseListenerUrl(url)).toEqual(options);
  });

  it.each([
    "",
    "1883",
    "127.0.0.1:1883",
    "http://host",
    "constructor://host",
    "mqtt:host",
    "mqtt://host:65536",
    "mqtt://host:-1",
    "mqtt://host:port",
    "mqtt://::1:1883",
    "mqtt://[::1",
    "mqtt://user@host",
    "mqtt://host/path",
    "mqtt://ho st",
    "ws://host/path?query",
    "unix:relative",
  ])("refuses %j with a hint", (url) => {
    expect(() => parseListenerUrl(url)).toThrow(
      expect.objectContaining({ code: "LISTENER_URL_INVALID", hint: expect.stringContaining("mqtt://") }),
    );
  });
});

describe("listening", () => {
  it.each([
    [{ transport: "tls" }, "LISTENER_OPTION_INVALID"],
    [{ transport: "tcp", tls: { key: "", cert: "" } }, "LISTENER_OPTION_INVALID"],
    [{ transport: "unix" }, "LISTENER_OPTION_INVALID"],
    [{ port: 70_000 }, "LISTENER_OPTION_INVALID"],
    [{ host: "0.0.0.0" }, "LISTENER_INSECURE"],
    [{ host: "::" }, "LISTENER_INSECURE"],
    [{ host: "192.0.2.1", allowInsecure: true }, "LISTENER_UNAVAILABLE"],
    [{ host: "no-such-host.invalid", allowInsecure: true }, "LISTENER_UNAVAILABLE"],
  ] as const)("with %j fails with %s and a hint", async (options, code) => {
    await expect(listen(options)).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  it("beyond this machine needs somebody who asks clients who they are, or consent (REF E11)", async () => {
    await listen({ host: "0.0.0.0", allowInsecure: true });
    const { listener } = await listen({ host: "0.0.0.0" }, { authorizes: true });
    expect(listener.endpoint).toMatchObject({ host: "0.0.0.0", transport: "tcp" });
  });

  it("works on IPv6, and shows addresses in brackets", async () => {
    const { listener } = await listen("mqtt://[::1]:0");
    expect(listener.endpoint.url).toBe(`mqtt://[::1]:${listener.port}`);
    const client = await connectAsync(listener.endpoint.url, { reconnectPeriod: 0 });
    await client.endAsync();
  });
});

describe("Unix socket listener", () => {
  async function path(): Promise<string> {
    folder = await mkdtemp(join(tmpdir(), "fleetrig-unix-"));
    return join(folder, "broker.sock");
  }

  it("serves clients, is private to its user, and removes its file", async () => {
    const file = await path();
    const { listener, acceptor } = await listen(`unix:${file}`);
    expect(listener.endpoint).toEqual({
      url: `unix:${file}`,
      transport: "unix",
      host: "",
      port: 0,
      path: file,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const client = await RawPeer.dial(file);
    client.write(CONNECT);
    expect(await client.hex(4)).toBe(CONNACK);
    expect((await acceptor.untilAccepted()).link.peer).toEqual({ transport: "unix" });
    client.end();
    await listener.stop();
    await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("replaces a file that nobody listens on, and no other", async () => {
    const file = await path();
    const dead = createServer().listen(file);
    await new Promise((resolve) => dead.once("listening", resolve));
    await expect(listen(`unix:${file}`)).rejects.toMatchObject({ code: "LISTENER_UNAVAILABLE" });
    // The file of a process that was killed: the name stays, the listener is gone.
    await new Promise((resolve) => dead.close(resolve));
    const script = `require("net").createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", script], { stdio: "ignore" })).toThrow();
    expect((await stat(file)).isSocket()).toBe(true);
    const { listener } = await listen({ transport: "unix", path: file, socketMode: 0o660 });
    expect((await stat(file)).mode & 0o777).toBe(0o660);
    await listener.stop();
    await writeFile(file, "precious");
    await expect(listen(`unix:${file}`)).rejects.toMatchObject({ code: "LISTENER_UNAVAILABLE" });
  });
});

describe("admission", () => {
  it("closes sockets beyond maxConnections at once, counts them, and recovers", async () => {
    const { listener } = await listen({ maxConnections: 2 });
    const first = await served(listener);
    await served(listener);
    expect(await turnedAway(listener)).toBe("");
    expect(rejections).toMatchObject([{ reason: "max-connections" }]);
    first.end();
    await first.untilEnd();
    await expect.poll(() => listener.connections()).toBe(1);
    await served(listener);
    expect(listener.counts()).toMatchObject({
      accepted: 3,
      dropped: { "max-connections": 1 },
    });
  });

  it("stays below the descriptors of the process, all listeners together (REF B9)", async () => {
    const budget = new SocketBudget(2);
    const { listener: one } = await listen({}, { budget });
    const { listener: two } = await listen({}, { budget });
    const first = await served(one);
    await served(two);
    expect(await turnedAway(two)).toBe("");
    expect(rejections).toMatchObject([{ reason: "descriptors" }]);
    first.end();
    await first.untilEnd();
    await expect.poll(() => budget.used).toBe(1);
    await served(two);
  });

  it.each([
    [
      "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 4096                 files\n",
      1024,
    ],
    ["Max open files            unlimited            unlimited            files\n", Number.POSITIVE_INFINITY],
    ["", Number.POSITIVE_INFINITY],
  ])("reads the limit of open files", (text, limit) => {
    expect(readDescriptorLimit(text)).toBe(limit);
  });

  it("bounds new sockets per second and address", async () => {
    const { listener } = await listen({ acceptRate: { perSecond: 2, burst: 3 } });
    for (let i = 0; i < 3; i += 1) await served(listener);
    expect(await turnedAway(listener)).toBe("");
    expect(rejections).toMatchObject([{ reason: "accept-rate" }]);
    time.advance(500_000);
    await served(listener);
    expect(await turnedAway(listener)).toBe("");
    time.advance(60_000_000);
    await served(listener);
  });

  it("closes a client that begins a packet and hardly goes on (REF A4), and no slow one", async () => {
    const { listener } = await listen({});
    const stalled = await served(listener);
    const slow = await served(listener);
    const idle = await served(listener);
    stalled.write("30ff0100");
    slow.write("30ffff0300");
    for (let s = 0; s < 60; s += 5) {
      await expect.poll(() => listener.connections()).toBe(s < 40 ? 3 : 2);
      slow.write("00".repeat(400));
      if (s < 40) stalled.write("00");
      await new Promise((resolve) => setTimeout(resolve, 10));
      time.advance(5_000_000);
    }
    expect(rejections).toMatchObject([{ reason: "stalled" }]);
    await stalled.untilEnd();
    idle.write("c000");
    expect(await idle.hex(6)).toBe(`${CONNACK}d000`);
  });
});
