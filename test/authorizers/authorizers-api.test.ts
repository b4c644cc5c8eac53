import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { HookFunction } from "fleetrig/broker";
import { type ApiWorld, startApi } from "../api/api-client.js";

const ARN = "arn:aws:lambda:us-east-1:000000000000:function:auth";
const keyPair = (modulusLength = 2048) => generateKeyPairSync("rsa", { modulusLength });
const pemOf = (key: ReturnType<typeof keyPair>["publicKey"]): string =>
  key.export({ type: "spki", format: "pem" }).toString();
const first = keyPair();
const second = keyPair();
const sign = (token: string, { privateKey } = first): string =>
  createSign("sha256").update(token).sign(privateKey, "base64");

const POLICY = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: "*" }],
};
const ANSWER = {
  isAuthenticated: true,
  principalId: "device1",
  policyDocuments: [JSON.stringify(POLICY)],
  disconnectAfterInSeconds: 3600,
  refreshAfterInSeconds: 300,
};
const SIGNED = {
  authorizerFunctionArn: ARN,
  tokenKeyName: "token",
  tokenSigningPublicKeys: { first: pemOf(first.publicKey), second: pemOf(second.publicKey) },
};
const UNSIGNED = { authorizerFunctionArn: ARN, signingDisabled: true };

interface Bench extends ApiWorld {
  readonly seen: unknown[];
}

/** A cloud whose function `auth` answers this. */
async function benchWith(authorizer: object = UNSIGNED, answer: unknown = ANSWER): Promise<Bench> {
  const seen: unknown[] = [];
  const auth: HookFunction = (event) => {
    seen.push(event);
    return typeof answer === "function" ? (answer as () => unknown)() : answer;
  };
  const world = startApi({ hooks: { auth } });
  await world.ok("POST", "/authorizer/a1", authorizer);
  return { ...world, seen };
}

describe("authorizers over the API", () => {
  it("are created, described, updated, listed and deleted", async () => {
    const { ok, refused } = startApi();
    const created = await ok("POST", "/authorizer/a1", SIGNED);
    expect(created).toEqual({
      authorizerName: "a1",
      authorizerArn: "arn:aws:iot:us-east-1:000000000000:authorizer/a1",
    });
    expect(await refused("POST", "/authorizer/a1", SIGNED)).toMatchObject({
      name: "ResourceAlreadyExistsException",
      status: 409,
    });
    const { authorizerDescription } = await ok("GET", "/authorizer/a1");
    expect(authorizerDescription).toEqual({
      ...created,
      ...SIGNED,
      status: "ACTIVE",
      signingDisabled: false,
      enableCachingForHttp: false,
      creationDate: expect.any(Number),
      lastModifiedDate: expect.any(Number),
    });
    for (const name of ["a3", "a2"])
      await ok("POST", `/authorizer/${name}`, { ...UNSIGNED, status: "INACTIVE" });
    const listed = async (query: string): Promise<string[]> =>
      (await ok("GET", `/authorizers/${query}`)).authorizers.map(
        ({ authorizerName }: { authorizerName: string }) => authorizerName,
      );
    expect(await listed("")).toEqual(["a1", "a2", "a3"]);
    expect(await listed("?isAscendingOrder=false")).toEqual(["a3", "a2", "a1"]);
    expect(await listed("?status=INACTIVE")).toEqual(["a2", "a3"]);
    const page = await ok("GET", "/authorizers/?pageSize=2");
    expect(page.authorizers).toHaveLength(2);
    expect(await listed(`?marker=${encodeURIComponent(page.nextMarker)}`)).toEqual(["a3"]);
    expect((await refused("DELETE", "/authorizer/a1")).name).toBe("DeleteConflictException");
    await ok("PUT", "/authorizer/a1", { status: "INACTIVE" });
    await ok("DELETE", "/authorizer/a1");
    expect((await refused("GET", "/authorizer/a1")).status).toBe(404);
  });

  it.each<[what: string, body: object]>([
    ["signing without a token's name", { ...SIGNED, tokenKeyName: undefined }],
    ["signing without keys", { ...SIGNED, tokenSigningPublicKeys: {} }],
    ["a key that is none", { ...SIGNED, tokenSigningPublicKeys: { k: "PEM" } }],
    ["a key that is too short", { ...SIGNED, tokenSigningPublicKeys: { k: pemOf(keyPair(1024).publicKey) } }],
  ])("refuse %s", async (_, body) => {
    expect((await startApi().refused("POST", "/authorizer/a1", body)).name).toBe("InvalidRequestException");
  });

  it("have one default, until it is cleared", async () => {
    const { ok, refused } = startApi();
    expect((await refused("GET", "/default-authorizer")).name).toBe("ResourceNotFoundException");
    expect((await refused("POST", "/default-authorizer", { authorizerName: "a1" })).status).toBe(404);
    await ok("POST", "/authorizer/a1", UNSIGNED);
    expect(await ok("POST", "/default-authorizer", { authorizerName: "a1" })).toMatchObject({
      authorizerName: "a1",
    });
    const { authorizerDescription } = await ok("GET", "/default-authorizer");
    expect(authorizerDescription.authorizerName).toBe("a1");
    await ok("DELETE", "/default-authorizer");
    expect((await refused("DELETE", "/default-authorizer")).status).toBe(404);
  });

  it("have tags", async () => {
    const { ok } = startApi();
    const { authorizerArn } = await ok("POST", "/authorizer/a1", {
      ...UNSIGNED,
      tags: [{ Key: "k", Value: "v" }],
    });
    expect(await ok("GET", `/tags?resourceArn=${encodeURIComponent(authorizerArn)}`)).toEqual({
      tags: [{ Key: "k", Value: "v" }],
    });
  });
});

describe("TestInvokeAuthorizer", () => {
  const test = "/authorizer/a1/test";

  it("calls the function with what the client would present, and shows its answer", async () => {
    const { ok, seen } = await benchWith();
    const answer = await ok("POST", test, {
      mqttContext: { username: "u?x=1", password: Buffer.from("secret").toString("base64"), clientId: "c1" },
      httpContext: { headers: { "X-Site": "w" }, queryString: "?a=b" },
      tlsContext: { serverName: "iot.example" },
    });
    expect(answer).toEqual(ANSWER);
    expect(seen).toEqual([
      {
        signatureVerified: false,
        protocols: ["tls", "http", "mqtt"],
        protocolData: {
          tls: { serverName: "iot.example" },
          http: { headers: { "x-site": "w" }, queryString: "?a=b" },
          mqtt: { username: "u?x=1", password: "c2VjcmV0", clientId: "c1" },
        },
        connectionMetadata: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    ]);
  });

  it("verifies tokens with any of the keys", async () => {
    const { ok, seen } = await benchWith(SIGNED);
    for (const key of [first, second])
      expect(await ok("POST", test, { token: "t1", tokenSignature: sign("t1", key) })).toEqual(ANSWER);
    expect(seen).toMatchObject([
      { token: "t1", signatureVerified: true, protocols: [] },
      { token: "t1", signatureVerified: true },
    ]);
  });

  it.each<[what: string, body: object]>([
    ["no token", {}],
    ["no signature", { token: "t1" }],
    ["another token's signature", { token: "t1", tokenSignature: sign("t2") }],
    ["a stranger's signature", { token: "t1", tokenSignature: sign("t1", keyPair()) }],
  ])("does not bother the function with %s", async (_, body) => {
    const { refused, seen } = await benchWith(SIGNED);
    expect((await refused("POST", test, body)).name).toBe("InvalidRequestException");
    expect(seen).toEqual([]);
  });

  it.each<[what: string, answer: unknown]>([
    ["nothing", null],
    ["no principal", { ...ANSWER, principalId: undefined }],
    ["a principal with a hyphen", { ...ANSWER, principalId: "device-1" }],
    ["a principal that is too long", { ...ANSWER, principalId: "d".repeat(129) }],
    ["no word on authentication", { ...ANSWER, isAuthenticated: "true" }],
    ["eleven policies", { ...ANSWER, policyDocuments: Array.from({ length: 11 }, () => POLICY) }],
    ["a policy that is none", { ...ANSWER, policyDocuments: ["{"] }],
    [
      "a policy that is too long",
      { ...ANSWER, policyDocuments: [JSON.stringify({ ...POLICY, Id: "x".repeat(2100) })] },
    ],
    ["299 seconds", { ...ANSWER, refreshAfterInSeconds: 299 }],
    ["86,401 seconds", { ...ANSWER, disconnectAfterInSeconds: 86_401 }],
    ["half a second", { ...ANSWER, disconnectAfterInSeconds: 300.5 }],
    ["an error", () => JSON.parse("secret") as unknown],
  ])("says that the response is invalid: %s", async (_, answer) => {
    const { refused } = await benchWith(UNSIGNED, answer);
    const said = await refused("POST", test, {});
    expect(said.name).toBe("InvalidResponseException");
    expect(said.message).not.toContain("secret");
  });

  it("takes policies as objects too, and a day where nothing is said", async () => {
    const { ok } = await benchWith(UNSIGNED, {
      isAuthenticated: true,
      principalId: "d",
      policyDocuments: [POLICY],
    });
    expect(await ok("POST", test, {})).toEqual({
      ...ANSWER,
      principalId: "d",
      disconnectAfterInSeconds: 86_400,
      refreshAfterInSeconds: 86_400,
    });
  });

  it("says so when the client is not authenticated", async () => {
    const { ok } = await benchWith(UNSIGNED, { isAuthenticated: false });
    expect(await ok("POST", test, {})).toEqual({ isAuthenticated: false });
  });
});
