import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BrokerServer, type BrokerServerEvents, createBroker } from "fleetrig/broker";
import { connectAsync, type IClientOptions } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../listeners/certificates.js";

const run = promisify(execFile);
const authority = makeAuthority("Fleet CA");
const server = authority.issue({ commonName: "broker", names: ["127.0.0.1", "localhost"] });
const device = authority.issue({ commonName: "thing-7" });
const tls = { ...server, ca: authority.cert, clientCertificates: "require" } as const;

let folder: string;
let broker: BrokerServer | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleetrig-transports-"));
  const files = { "ca.pem": authority.cert, "key.pem": device.key, "cert.pem": device.cert };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});

afterAll(() => rm(folder, { recursive: true }));

afterEach(async () => {
  await broker?.stop();
  broker = undefined;
});

const secrets: IClientOptions = { ca: authority.cert, key: device.key, cert: device.cert };
const inFolder = (name: string): string => join(folder, name);

describe("createBroker on every transport", () => {
  it("carries one message from each to each, and knows who sent it", async () => {
    const listen = [
      "mqtt://127.0.0.1:0",
      "mqtts://127.0.0.1:0",
      "ws://127.0.0.1:0/mqtt",
      "wss://127.0.0.1:0/mqtt",
    ];
    broker = await createBroker({ listen, tls });
    const peers: (string | undefined)[] = [];
    broker.on("connected", ({ peer }) => peers.push(`${peer?.transport} ${peer?.certificate?.commonName}`));
    const heard: string[] = [];
    const clients = [];
    for (const { url, transport } of broker.endpoints) {
      const own = transport === "tls" || transport === "wss" ? secrets : {};
      const client = await connectAsync(url, {
        ...own,
        clientId: transport,
        protocolVersion: 5,
        reconnectPeriod: 0,
      });
      client.on("message", (topic) => heard.push(`${transport} hears ${topic}`));
      await client.subscribeAsync("from/+", { qos: 1 });
      clients.push(client);
    }
    for (const [index, client] of clients.entries())
      await client.publishAsync(`from/${broker.endpoints[index]!.transport}`, "x", { qos: 1 });
    await expect.poll(() => heard.length).toBe(16);
    expect(new Set(heard).size).toBe(16);
    expect(peers).toEqual(["tcp undefined", "tls thing-7", "ws undefined", "wss thing-7"]);
    for (const client of clients) await client.endAsync();
  });

  it("lets a hook decide by the certificate", async () => {
    broker = await createBroker({
      listen: ["mqtts://127.0.0.1:0"],
      tls: { ...tls, clientCertificates: "request" },
      hooks: {
        authorizeConnect: ({ clientId }, { peer }) =>
          peer?.isVerified === true && peer.certificate?.commonName === clientId ? "allow" : { refuse: 0x87 },
      },
    });
    const { url } = broker.endpoints[0]!;
    const own = { ...secrets, protocolVersion: 5, reconnectPeriod: 0 } as const;
    await (await connectAsync(url, { ...own, clientId: "thing-7" })).endAsync();
    await expect(connectAsync(url, { ...own, clientId: "thing-8" })).rejects.toMatchObject({ code: 0x87 });
    await expect(
      connectAsync(url, { ca: authority.cert, clientId: "thing-7", protocolVersion: 5, reconnectPeriod: 0 }),
    ).rejects.toMatchObject({ code: 0x87 });
  });

  it("serves mosquitto's clients over TLS and Unix sockets", async () => {
    const socket = inFolder("broker.sock");
    broker = await createBroker({ listen: ["mqtts://127.0.0.1:0", `unix:${socket}`], tls });
    const { port } = broker.endpoints[0]!;
    const subscribed = new Promise<void>((resolve) => {
      broker!.on("subscribed", () => resolve());
    });
    const subscriber = spawn("mosquitto_sub", ["--unix", socket, "-V", "5", "-t", "a/#", "-v", "-C", "1"]);
    let printed = "";
    subscriber.stdout.on("data", (bytes: Buffer) => {
      printed += bytes.toString();
    });
    await subscribed;
    const identity = [
      "--cafile",
      inFolder("ca.pem"),
      "--cert",
      inFolder("cert.pem"),
      "--key",
      inFolder("key.pem"),
    ];
    const where = ["-h", "localhost", "-p", String(port), "--tls-alpn", "mqtt"];
    await run("mosquitto_pub", [...where, ...identity, "-V", "5", "-q", "1", "-t", "a/b", "-m", "hello"]);
    await expect.poll(() => printed).toBe("a/b hello\n");
    await new Promise((resolve) =>
      subscriber.exitCode === null ? subscriber.once("close", resolve) : resolve(0),
    );
  });

  it("tells the program of sockets that were turned away", async () => {
    broker = await createBroker({ listen: ["mqtts://127.0.0.1:0"], tls });
    const rejected = new Promise<BrokerServerEvents["rejected"]>((resolve) => {
      broker!.on("rejected", resolve);
    });
    const { url } = broker.endpoints[0]!;
    await expect(connectAsync(url, { ca: authority.cert, reconnectPeriod: 0 })).rejects.toThrow();
    expect(await rejected).toMatchObject({ reason: "handshake", endpoint: { url } });
    expect(broker.listeners[0]!.counts().dropped.handshake).toBe(1);
  });

  it("lets a plain program end by itself after stop, with clients on every transport", async () => {
    await writeFile(inFolder("server.key"), server.key);
    await writeFile(inFolder("server.pem"), server.cert);
    const files = [inFolder("server.key"), inFolder("server.pem")];
    const program = ["test/server/all-transports.mjs", ...files];
    const { stdout } = await run(process.execPath, program, { timeout: 20_000 });
    expect(stdout).toBe("stopped\n");
  });
});
