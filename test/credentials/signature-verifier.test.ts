import { IoTClient, CreateThingCommand, ListThingsCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { CredentialDirectory, type CredentialOptions, SignatureVerifier } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { signWithBotocore, type SignedRequest } from "./botocore-signer.js";

const ACCESS_KEY = "AKIDEXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const ACCOUNT = "123456789012";

interface Bench {
  readonly at?: string;
  readonly credentials?: readonly CredentialOptions[];
}

const wallMs = (at: string): number =>
  Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

function verifier({
  at = "20150830T123600Z",
  credentials = [{ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET }],
}: Bench = {}) {
  const directory = new CredentialDirectory(credentials, ACCOUNT);
  return new SignatureVerifier({ clock: { wallMs: () => wallMs(at) }, credentials: directory });
}

type Plain = Pick<SignedRequest, "method" | "target" | "headers"> & { readonly body?: string | Uint8Array };

const verdict = (request: Plain, bench?: Bench): string => {
  const { body = "" } = request;
  const found = verifier(bench).verify({
    method: request.method,
    target: request.target,
    headers: new Map(Object.entries(request.headers)),
    body: typeof body === "string" ? Buffer.from(body) : body,
  });
  return found.kind === "invalid" ? String(found.error.context["awsError"]) : found.kind;
};

/** Vectors of AWS's published test suite for signature version 4. */
const VANILLA: Plain = {
  method: "GET",
  target: "/",
  headers: {
    host: "example.amazonaws.com",
    "x-amz-date": "20150830T123600Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
};

const withHeaders = (headers: Readonly<Record<string, string>>): Plain => ({
  ...VANILLA,
  headers: { ...VANILLA.headers, ...headers },
});

const authorization = (change: (text: string) => string): Plain =>
  withHeaders({ authorization: change(VANILLA.headers["authorization"]!) });

describe("SigV4 signatures in headers", () => {
  it("are right as in AWS's vectors", () => {
    expect(verdict(VANILLA)).toBe("valid");
    const ordered = authorization((text) =>
      text.replace(/[\da-f]{64}$/, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    );
    expect(verdict({ ...ordered, target: "/?Param2=value2&Param1=value1" })).toBe("valid");
  });

  it("name the user", () => {
    const found = verifier().verify({
      ...VANILLA,
      headers: new Map(Object.entries(VANILLA.headers)),
      body: Buffer.alloc(0),
    });
    expect(found).toMatchObject({ credential: { arn: `arn:aws:iam::${ACCOUNT}:user/${ACCESS_KEY}` } });
  });

  it("are missing where nothing is signed", () => {
    expect(verdict({ ...VANILLA, headers: { host: "x" } })).toBe("unsigned");
    expect(verdict(withHeaders({ authorization: "Bearer token" }))).toBe("unsigned");
  });

  it.each([
    ["another algorithm", (text: string) => text.replace("HMAC-SHA256", "ECDSA-P256-SHA256")],
    ["a scope without a region", (text: string) => text.replace("/us-east-1", "")],
    ["another day", (text: string) => text.replace("20150830", "20150831")],
    ["no headers", (text: string) => text.replace("host;x-amz-date", "")],
    ["a short signature", (text: string) => text.slice(0, -1)],
    ["an upper-case signature", (text: string) => text.replace(/[\da-f]{64}$/, (hex) => hex.toUpperCase())],
    ["nothing but its algorithm", () => "AWS4-HMAC-SHA256"],
  ])("with %s are incomplete", (_, change) => {
    expect(verdict(authorization(change))).toBe("IncompleteSignatureException");
  });

  it.each([
    ["a changed digit", authorization((text) => text.replace(/.$/, "0"))],
    ["another path", { ...VANILLA, target: "/other" }],
    ["another query", { ...VANILLA, target: "/?a" }],
    ["another method", { ...VANILLA, method: "PUT" }],
    ["another host", withHeaders({ host: "evil.example" })],
    ["a body that was not signed", { ...VANILLA, body: "x" }],
    ["a header of AWS that was not signed", withHeaders({ "x-amz-target": "x" })],
    ["no host among its headers", authorization((text) => text.replace("host;", ""))],
    ["a header that did not come", authorization((text) => text.replace("host;", "host;range;"))],
    ["a stream", withHeaders({ "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" })],
  ])("with %s are wrong", (_, request) => {
    expect(verdict(request)).toBe("InvalidSignatureException");
  });

  it("are good for five minutes before and after", () => {
    for (const at of ["20150830T123100Z", "20150830T124100Z"]) expect(verdict(VANILLA, { at })).toBe("valid");
    for (const at of ["20150830T123059Z", "20150830T124101Z"])
      expect(verdict(VANILLA, { at })).toBe("InvalidSignatureException");
  });

  it("of keys that nobody configured are not recognised", () => {
    const credentials = [{ accessKeyId: "OTHER", secretAccessKey: SECRET }];
    expect(verdict(VANILLA, { credentials })).toBe("UnrecognizedClientException");
  });
});

describe("temporary credentials", () => {
  it("need their token, and expire", () => {
    const directory = new CredentialDirectory([], ACCOUNT);
    expect(directory.areRequired).toBe(false);
    const nowMs = wallMs("20150830T123600Z");
    const keys = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET, arn: "arn:aws:sts::1:assumed-role/r/s" };
    const check = (expiresAtMs: number, sessionToken?: string): string => {
      directory.issue({ ...keys, expiresAtMs, ...(sessionToken !== undefined && { sessionToken }) }, nowMs);
      const own = new SignatureVerifier({ clock: { wallMs: () => nowMs }, credentials: directory });
      const found = own.verify({
        ...VANILLA,
        headers: new Map(Object.entries(VANILLA.headers)),
        body: Buffer.alloc(0),
      });
      return found.kind === "invalid" ? String(found.error.context["awsError"]) : found.kind;
    };
    expect(check(nowMs + 1)).toBe("valid");
    expect(check(nowMs)).toBe("ExpiredTokenException");
    expect(check(nowMs + 1, "token")).toBe("UnrecognizedClientException");
  });
});

describe("requests that other people's software signs", () => {
  const at = "20261121T080000Z";

  it("are right, and wrong with any one character changed: botocore, headers and queries", () => {
    const requests = signWithBotocore(400, 7, at);
    for (const request of requests) {
      const { token } = request;
      const credentials = [
        { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET, ...(token !== null && { sessionToken: token }) },
      ];
      expect(verdict(request, { at, credentials }), JSON.stringify(request)).toBe("valid");
      const forged = { ...request, target: request.target.replace(/^\//, "/x") };
      expect(verdict(forged, { at, credentials })).toBe("InvalidSignatureException");
      const other = [{ ...credentials[0]!, secretAccessKey: `${SECRET}x` }];
      expect(verdict(request, { at, credentials: other })).toBe("InvalidSignatureException");
    }
    expect(new Set(requests.map(({ kind }) => kind)).size).toBe(3);
  });

  it("presigned ones expire when they say", () => {
    const [request] = signWithBotocore(20, 3, at).filter(
      ({ kind, token }) => kind === "query" && token === null,
    );
    expect(verdict(request!, { at: "20261121T080100Z" })).toBe("valid");
    expect(verdict(request!, { at: "20261121T080101Z" })).toBe("InvalidSignatureException");
  });

  it("are right: AWS SDK for JavaScript", async () => {
    const captured: Plain[] = [];
    const requestHandler = {
      handle: async (request: {
        method: string;
        path: string;
        query: Record<string, string>;
        headers: Record<string, string>;
        body?: string | Uint8Array;
      }) => {
        const query = new URLSearchParams(request.query).toString().replaceAll("+", "%20");
        captured.push({
          method: request.method,
          target: request.path + (query === "" ? "" : `?${query}`),
          headers: Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k.toLowerCase(), v])),
          ...(request.body !== undefined && { body: request.body }),
        });
        return { response: { statusCode: 200, headers: {}, body: new Uint8Array() } };
      },
    };
    const settings = {
      region: "eu-west-1",
      endpoint: "http://127.0.0.1:8080",
      credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET },
      requestHandler,
      systemClockOffset: wallMs(at) - Date.now(),
    };
    const iot = new IoTClient(settings);
    const data = new IoTDataPlaneClient(settings);
    await iot
      .send(new CreateThingCommand({ thingName: "a:b_c-d", attributePayload: { attributes: { a: "b" } } }))
      .catch(() => undefined);
    await iot
      .send(new ListThingsCommand({ attributeName: "a b", attributeValue: "x/y+z", maxResults: 3 }))
      .catch(() => undefined);
    await data
      .send(new PublishCommand({ topic: "dt/é/+ x", qos: 1, payload: Buffer.from([0, 255]) }))
      .catch(() => undefined);
    expect(captured).toHaveLength(3);
    for (const request of captured) {
      const signedAt = request.headers["x-amz-date"]!;
      expect(verdict(request, { at: signedAt }), JSON.stringify(request)).toBe("valid");
    }
  });
});
