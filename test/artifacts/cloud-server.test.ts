import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCloudServer } from "fleetrig/broker";
import { afterEach, describe, expect, it } from "vitest";

const stops: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const start = async (dataDir: string) => {
  const off = "off" as const;
  const ports = { mqtt: off, mqtts: off, tls: off, https: off, http: 0 };
  const server = await createCloudServer({ dataDir, ports });
  stops.push(() => server.stop());
  return server;
};

describe("artifacts of a cloud server", () => {
  it("are fetched over its HTTP door in parts, and lie in the data directory", async () => {
    const directory = mkdtempSync(join(tmpdir(), "artifacts-"));
    stops.push(() => rmSync(directory, { recursive: true }));
    const first = await start(directory);
    const name = { bucket: "firmware", key: "v1/image.bin" };
    first.cloud.management.artifacts.store.put(name, Buffer.from("0123456789"));
    await first.stop();
    const { artifacts } = (await start(directory)).cloud.management;
    const url = artifacts.presign(name, 60);
    const part = await fetch(url, { headers: { range: "bytes=2-4" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
      206,
      "bytes 2-4/10",
      "234",
    ]);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
    const unchanged = await fetch(url, { headers: { "if-none-match": head.headers.get("etag")! } });
    expect(unchanged.status).toBe(304);
    expect((await fetch(url.replace(/\?.*/, ""))).status).toBe(403);
    expect((await fetch(`${artifacts.baseUrl}/things/none`)).status).toBe(404);
  });
});
