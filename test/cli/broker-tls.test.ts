import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../listeners/certificates.js";
import { runProgram } from "../observe/programs.js";
import { type BrokerProcess, startBroker } from "./broker-process.js";
import { command } from "./command.js";
import { build } from "./process.js";

let folder: string;
let broker: BrokerProcess;

const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  build();
  folder = mkdtempSync(join(tmpdir(), "fleetrig-tls-"));
  const authority = makeAuthority("Test authority");
  const server = authority.issue({ commonName: "localhost", names: ["localhost", "127.0.0.1"] });
  const device = authority.issue({ commonName: "device-1" });
  const pems = {
    "ca.pem": authority.cert,
    "server.pem": server.cert,
    "server.key": server.key,
    "device.pem": device.cert,
    "device.key": device.key,
  };
  for (const [name, pem] of Object.entries(pems)) writeFileSync(file(name), pem);
  const listen = ["--listen", "mqtts://127.0.0.1:0", "--listen", "ws://127.0.0.1:0"];
  const own = ["--tls-cert", file("server.pem"), "--tls-key", file("server.key")];
  broker = await startBroker([...listen, ...own, "--tls-ca", file("ca.pem"), "--require-client-cert"]);
});

afterAll(async () => {
  broker.child.kill("SIGTERM");
  await broker.ended;
  rmSync(folder, { recursive: true });
});

const publish = (...own: string[]) => {
  const message = ["-t", "t", "-m", "x", "-q", "1"];
  const server = ["-h", "localhost", "-p", broker.port, "--cafile", file("ca.pem")];
  return runProgram("mosquitto_pub", [...server, ...message, ...own]);
};

describe("fleetrig broker with certificates", () => {
  it("lets in who has one, and turns away who has none", async () => {
    expect(broker.ready.endpoints).toEqual([
      expect.stringMatching(/^mqtts:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/mqtt$/),
    ]);
    const own = ["--cert", file("device.pem"), "--key", file("device.key")];
    expect(await publish(...own)).toMatchObject({ code: 0, stderr: "" });
    expect((await publish()).code).not.toBe(0);
    await broker.says('"reason":"handshake"');
    await broker.says('"event":"client.connected"');
  });

  it.each([
    ["mqtt://0.0.0.0:0", [], "LISTENER_INSECURE"],
    ["mqtts://127.0.0.1:0", ["--tls-cert", "missing.pem", "--tls-key", "missing.key"], "missing"],
  ])("refuses to listen on %s with %o", async (url, args, text) => {
    const { code, stderr, stdout } = await command(["broker", "--listen", url, ...args].join(" "));
    expect(code).toBeGreaterThan(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(text);
  });
});
