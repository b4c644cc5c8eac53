import { connectAsync, type IClientOptions } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { CloudBench } from "../cloud-server/cloud-bench.js";
import { policyText } from "../identity/device.js";

/** A server whose function lets in whoever has the password or the token `good`. */
async function server(): Promise<{ bench: CloudBench; seen: unknown[] }> {
  const seen: unknown[] = [];
  const auth = (event: unknown): object => {
    seen.push(event);
    const { token, protocolData } = event as {
      token?: string;
      protocolData: { mqtt?: { password?: string } };
    };
    const password = Buffer.from(protocolData.mqtt?.password ?? "", "base64").toString();
    return {
      isAuthenticated: token === "good" || password === "good",
      principalId: "device1",
      policyDocuments: [policyText(["Allow", "*", "*"])],
    };
  };
  const bench = await CloudBench.open({ cloud: { hooks: { auth }, access: { openListeners: "none" } } });
  bench.server.cloud.authorizers.store.create({
    authorizerName: "A",
    authorizerFunctionArn: "auth",
    tokenKeyName: "token",
    signingDisabled: true,
  });
  return { bench, seen };
}

/** Whether a client was let in. */
async function isWelcome(bench: CloudBench, url: string, options: IClientOptions): Promise<boolean> {
  const common = { ca: bench.ca, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 3_000 } as const;
  try {
    const client = await connectAsync(url.replace("PORT", String(bench.port("tls"))), {
      ...common,
      ...options,
    });
    onTestFinished(async () => {
      await client.endAsync(true);
    });
    return true;
  } catch {
    return false;
  }
}

const NAME = "x-amz-customauthorizer-name=A";

describe("custom authorizers on the port with TLS", () => {
  it("know clients by user name and password, over MQTT", async () => {
    const { bench, seen } = await server();
    const client = (password: string): Promise<boolean> =>
      isWelcome(bench, "mqtts://localhost:PORT", {
        ALPNProtocols: ["mqtt"],
        username: `u?${NAME}`,
        password,
      });
    expect([await client("good"), await client("bad")]).toEqual([true, false]);
    expect(seen[0]).toMatchObject({
      protocols: ["tls", "mqtt"],
      protocolData: { tls: { serverName: "localhost" } },
    });
  });

  it("know clients by what their WebSocket began with", async () => {
    const { bench, seen } = await server();
    const path = (token: string): string => `wss://localhost:PORT/mqtt?${NAME}&token=${token}`;
    expect([await isWelcome(bench, path("good"), {}), await isWelcome(bench, path("bad"), {})]).toEqual([
      true,
      false,
    ]);
    const headers = { "x-amz-customauthorizer-name": "A", token: "good" };
    expect(await isWelcome(bench, "wss://localhost:PORT/mqtt", { wsOptions: { headers } })).toBe(true);
    expect(seen[0]).toMatchObject({
      token: "good",
      protocols: ["tls", "http", "mqtt"],
      protocolData: { http: { queryString: `?${NAME}&token=good` } },
    });
  });
});
