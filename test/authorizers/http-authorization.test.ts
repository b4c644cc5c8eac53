import { Agent, request as httpRequest } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { CloudBench, refusalOf } from "../cloud-server/cloud-bench.js";
import { policyText, type Statement } from "../identity/device.js";

const CREDENTIALS = [
  { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
];

/** A server whose function `auth` lets tokens in that begin with `good`, to publish on `a`. */
async function serverWith(authorizer: object = {}): Promise<{ bench: CloudBench; seen: unknown[] }> {
  const seen: unknown[] = [];
  const auth = (event: unknown): object => {
    seen.push(event);
    const { token = "" } = event as { token?: string };
    const statements: readonly Statement[] = [["Allow", "Publish", "topic/a"]];
    return {
      isAuthenticated: token.startsWith("good"),
      principalId: "device1",
      policyDocuments: [policyText(...statements)],
      refreshAfterInSeconds: 300,
      disconnectAfterInSeconds: 300,
    };
  };
  const bench = await CloudBench.open({ cloud: { hooks: { auth } }, credentials: CREDENTIALS });
  bench.server.cloud.authorizers.store.create({
    authorizerName: "A",
    authorizerFunctionArn: "auth",
    tokenKeyName: "X-Token",
    signingDisabled: true,
    ...authorizer,
  });
  return { bench, seen };
}

const publish = (topic: string, headers: Readonly<Record<string, string>> = {}, query = "") =>
  [`/topics/${topic}?qos=1${query}`, { method: "POST", headers, body: "{}" }] as const;

const NAMED = { "x-amz-customauthorizer-name": "A", "x-token": "good1" };

describe("custom authorizers over HTTP", () => {
  it("let devices do what the policies of the answer say, and nothing else", async () => {
    const { bench, seen } = await serverWith();
    expect((await bench.ask(...publish("a", NAMED))).status).toBe(200);
    expect(refusalOf(await bench.ask(...publish("b", NAMED)))).toMatch(/^403 ForbiddenException/);
    expect(refusalOf(await bench.ask("/things", { headers: NAMED }))).toMatch(/^403 ForbiddenException/);
    expect(seen[0]).toMatchObject({
      token: "good1",
      signatureVerified: false,
      protocols: ["http"],
      protocolData: { http: { headers: { "x-token": "good1" }, queryString: "?qos=1" } },
    });
  });

  it("are named in the query as well, and asked over TLS", async () => {
    const { bench, seen } = await serverWith();
    const [path, asking] = publish("a", {}, "&x-amz-customauthorizer-name=A&X-Token=good2");
    expect((await bench.ask(path, { ...asking, door: "tls" })).status).toBe(200);
    expect(seen).toMatchObject([{ token: "good2", protocols: ["tls", "http"] }]);
  });

  it("keep everybody out whom they do not know, without saying why", async () => {
    const { bench } = await serverWith();
    for (const headers of [
      { ...NAMED, "x-token": "bad" },
      { ...NAMED, "x-amz-customauthorizer-name": "B" },
    ]) {
      const said = refusalOf(await bench.ask(...publish("a", headers)));
      expect(said).toBe("403 ForbiddenException The authorizer does not let this request pass.");
    }
  });

  it("have a default for whoever proves nothing", async () => {
    const { bench } = await serverWith();
    const unnamed = { "x-token": "good1" };
    expect(refusalOf(await bench.ask(...publish("a", unnamed)))).toMatch(/^403/);
    bench.server.cloud.authorizers.store.setDefault("A");
    expect((await bench.ask(...publish("a", unnamed))).status).toBe(200);
  });

  it("are not asked about clients with certificates", async () => {
    const { bench, seen } = await serverWith();
    const [path, asking] = publish("a", NAMED);
    const { key, cert } = await bench.device();
    expect((await bench.ask(path, { ...asking, door: "https", identity: { key, cert } })).status).toBe(403);
    expect(seen).toEqual([]);
  });

  it.each([
    [true, 2],
    [false, 3],
  ])(
    "with enableCachingForHttp %s are asked %i times in two connections",
    async (enableCachingForHttp, times) => {
      const { bench, seen } = await serverWith({ enableCachingForHttp });
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      const send = (over: Agent | false): Promise<number> =>
        new Promise((resolve, reject) => {
          const [path, { headers, body }] = publish("a", NAMED);
          const options = {
            host: "127.0.0.1",
            port: bench.port("http"),
            method: "POST",
            path,
            headers,
            agent: over,
          };
          const request = httpRequest(options, (response) => {
            response.resume().on("end", () => resolve(response.statusCode ?? 0));
          });
          request.on("error", reject).end(body);
        });
      expect([await send(agent), await send(agent), await send(false)]).toEqual([200, 200, 200]);
      expect(seen).toHaveLength(times);
    },
  );
});
