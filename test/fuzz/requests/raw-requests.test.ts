import { createRandomSource } from "fleetrig/kernel";
import { createCloudServer } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { rawBytes, sendRaw } from "./raw-requests.js";
import { RequestSource } from "./request-source.js";

const REQUESTS = 3_000;
const AT_ONCE = 20;

describe("fuzzed requests over sockets", () => {
  it("are answered or hung up on, never with a bug, and nobody else suffers", async () => {
    const faults: string[] = [];
    const server = await createCloudServer({
      ports: { http: 0, mqtt: "off", mqtts: "off", tls: "off", https: "off" },
      events: {
        emit: (event) => {
          if (event.type === "api.fault") faults.push(event.detail);
        },
      },
    });
    const port = server.port("http")!;
    const random = createRandomSource(7).stream("raw");
    const source = new RequestSource(createRandomSource(7).stream("requests"));
    const statuses = new Map<number, number>();
    for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, () =>
        rawBytes(source.next(), `127.0.0.1:${port}`, random),
      );
      const answers = await Promise.all(batch.map((bytes) => sendRaw(port, bytes)));
      for (const { status, text } of answers) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        // Artifacts have the errors of S3.
        if (status >= 400) expect(text).toMatch(/x-amzn-errortype: \w+|<Error><Code>\w+/i);
      }
    }
    expect(faults).toEqual([]);
    expect(statuses.get(500)).toBeUndefined();
    expect(statuses.get(200)).toBeGreaterThan(50);
    const canary = await fetch(`http://127.0.0.1:${port}/endpoint`);
    expect(canary.status).toBe(200);
    await server.stop();
  });
});
