import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCloudServer, DEFAULT_CLOUD_PORTS } from "fleetrig/broker";
import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import { CloudBench, dataFolder, FREE_PORTS } from "./cloud-bench.js";

describe("a cloud server", () => {
  it("opens a door for every way of AWS IoT, and closes all of them", async () => {
    const { server } = await CloudBench.open();
    const { mqtt, mqtts, tls, https, http } = server.endpoints;
    expect(mqtt).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
    expect(mqtts).toMatch(/^mqtts:\/\/127\.0\.0\.1:\d+$/);
    expect(tls).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(https).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await server.stop();
    await expect(fetch(http!)).rejects.toThrow();
  });

  it("has no door that it was told to close", async () => {
    const { server } = await CloudBench.open({ ports: { ...FREE_PORTS, mqtt: "off", tls: "off" } });
    expect(Object.keys(server.endpoints)).toEqual(["mqtts", "https", "http"]);
    expect(server.port("mqtt")).toBeUndefined();
  });

  it("leaves nothing open when one of its ports is taken", async () => {
    const first = await CloudBench.open();
    const ports = { ...FREE_PORTS, http: first.port("http") };
    await expect(createCloudServer({ ports })).rejects.toMatchObject({ code: "LISTENER_UNAVAILABLE" });
  });

  it("shows clients a certificate of its CA for the names it goes by", async () => {
    const bench = await CloudBench.open({ allowedHosts: ["cloud.test"] });
    expect((await bench.ask("/things", { door: "tls" })).status).toBeGreaterThan(0);
    const client = await connectAsync(bench.server.endpoints.mqtt!, { reconnectPeriod: 0 });
    await client.endAsync();
    expect(DEFAULT_CLOUD_PORTS.mqtts).toBe(8883);
  });

  it("keeps its CA certificate in a file of its owner while it runs", async () => {
    const { server } = await CloudBench.open();
    expect(statSync(server.caPath).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(server.caPath, ".."))).toEqual(["ca.pem"]);
    await server.stop();
    expect(existsSync(server.caPath)).toBe(false);
  });
});

describe("a cloud server with a data directory", () => {
  it("keeps its CA, and its key to itself", async () => {
    const dataDir = dataFolder();
    const first = await CloudBench.open({ dataDir, durability: "os" });
    const { ca } = first;
    expect(statSync(join(dataDir, "pki")).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, "pki/ca.key")).mode & 0o777).toBe(0o600);
    await first.server.stop();
    const second = await CloudBench.open({ dataDir, durability: "os" });
    expect(second.ca).toBe(ca);
    expect(second.server.durability).toBe("os");
  });

  it.each([
    ["its key is gone", (pki: string) => rmSync(join(pki, "ca.key")), "CLOUD_PKI_UNUSABLE"],
    [
      "its key is torn",
      (pki: string) => writeFileSync(join(pki, "ca.key"), "-----BEGIN"),
      "PKI_AUTHORITY_INVALID",
    ],
    [
      "its certificate is another's",
      (pki: string) => writeFileSync(join(pki, "ca.pem"), "nonsense"),
      "PKI_CERTIFICATE_INVALID",
    ],
  ])("does not begin when %s, and gives the directory back", async (_, spoil, code) => {
    const dataDir = dataFolder();
    await (await CloudBench.open({ dataDir, durability: "os" })).server.stop();
    const before = readFileSync(join(dataDir, "pki/ca.pem"), "utf8");
    spoil(join(dataDir, "pki"));
    const again = () => createCloudServer({ dataDir, ports: FREE_PORTS });
    await expect(again()).rejects.toMatchObject({ code });
    await expect(again()).rejects.toMatchObject({ code });
    expect(before).toContain("BEGIN CERTIFICATE");
  });

  it("is not disturbed by a draft that was left behind", async () => {
    const dataDir = dataFolder();
    mkdirSync(join(dataDir, "pki"));
    writeFileSync(join(dataDir, "pki/ca.key.1-0.new"), "left behind");
    const { server } = await CloudBench.open({ dataDir, durability: "os" });
    expect(readFileSync(join(dataDir, "pki/ca.key"), "utf8")).toContain("BEGIN");
    expect(server.damage).toEqual([]);
  });
});
