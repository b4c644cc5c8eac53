import { createHash } from "node:crypto";
import { Artifacts } from "fleetrig/broker";
import { LANE, Random, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
const NAME = { bucket: "firmware", key: "v1/image one.bin" };
const PATH = "/firmware/v1/image%20one.bin";
const EPOCH = "Thu, 01 Jan 2026 00:00:00 GMT";
const ETAG = `"${createHash("sha256").update(BYTES).digest("hex")}"`;

function start(settings: { isPublic?: boolean; baseUrl?: string } = { isPublic: true }) {
  const time = new VirtualTime();
  const artifacts = new Artifacts({
    clock: time.lane(LANE.services),
    random: Random.seeded("a"),
    ...settings,
  });
  artifacts.store.put(NAME, BYTES);
  const fetch = (target: string, headers: Record<string, string> = {}, method = "GET") =>
    artifacts.handle({
      method,
      target,
      headers: new Map(Object.entries(headers)),
      body: new Uint8Array(),
      remoteAddress: "127.0.0.1",
    });
  return { time, artifacts, fetch };
}

describe("artifacts over HTTP", () => {
  it("come whole, with an entity tag of their SHA-256", () => {
    expect(start().fetch(PATH)).toEqual({
      status: 200,
      headers: {
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        "content-length": "1000",
        etag: ETAG,
        "last-modified": EPOCH,
        "x-amz-checksum-sha256": createHash("sha256").update(BYTES).digest("base64"),
      },
      body: expect.objectContaining({ length: 1000 }),
    });
  });

  it.each([
    ["bytes=0-99", 0, 100],
    ["bytes=900-", 900, 100],
    ["bytes=-10", 990, 10],
    ["bytes=-5000", 0, 1000],
    ["bytes=990-5000", 990, 10],
    ["bytes=999-999", 999, 1],
  ])("come in parts: %s (RFC 9110 §14)", (range, first, length) => {
    const answer = start().fetch(PATH, { range })!;
    expect(answer.status).toBe(206);
    expect(answer.headers["content-range"]).toBe(`bytes ${first}-${first + length - 1}/1000`);
    expect(answer.headers["content-length"]).toBe(String(length));
    expect(Buffer.from(answer.body as Uint8Array)).toEqual(BYTES.subarray(first, first + length));
  });

  it.each(["bytes=0-1,5-6", "bytes=9-1", "items=0-1", "bytes=-", "bytes=a-b"])(
    "come whole for %s",
    (range) => {
      expect(start().fetch(PATH, { range })).toMatchObject({ status: 200 });
    },
  );

  it.each(["bytes=1000-", "bytes=5000-6000", "bytes=-0"])("answer 416 to %s", (range) => {
    expect(start().fetch(PATH, { range })).toMatchObject({
      status: 416,
      headers: { "content-range": "bytes */1000" },
    });
  });

  it.each([
    ["if-range", ETAG, 206],
    ["if-range", '"other"', 200],
    ["if-range", EPOCH, 206],
    ["if-range", "Thu, 01 Jan 2015 00:00:00 GMT", 200],
    ["if-none-match", ETAG, 304],
    ["if-none-match", `"x", W/${ETAG}`, 304],
    ["if-none-match", '"other"', 206],
    ["if-modified-since", EPOCH, 304],
    ["if-match", '"other"', 412],
    ["if-match", "*", 206],
  ])("honour %s: %s", (name, value, status) => {
    expect(start().fetch(PATH, { range: "bytes=0-0", [name]: value })).toMatchObject({ status });
  });

  it("answer HEAD like GET without the content, and refuse other methods", () => {
    const { fetch } = start();
    const head = { status: 200, headers: { "content-length": "1000", etag: ETAG }, body: "" };
    expect(fetch(PATH, {}, "HEAD")).toMatchObject(head);
    expect(fetch(PATH, {}, "DELETE")).toMatchObject({ status: 405 });
  });

  it("leave requests alone that name no bucket", () => {
    const { fetch } = start();
    for (const target of ["/things/t1", "/", "/firmware", "/jobs/j1?x=1"])
      expect(fetch(target)).toBeUndefined();
    expect(fetch("/firmware/other")).toMatchObject({ status: 404 });
  });

  it("do not stand in the way of the APIs, whatever buckets are called", () => {
    const { fetch, artifacts } = start({ baseUrl: "http://127.0.0.1" });
    artifacts.store.put({ bucket: "things", key: "t1" }, BYTES);
    expect(fetch("/things/t1")).toBeUndefined();
    const url = new URL(artifacts.presign({ bucket: "things", key: "t1" }, 60));
    expect(fetch(url.pathname + url.search)).toMatchObject({ status: 200 });
  });

  it.each([
    "/firmware/../secret",
    "/firmware/%2e%2e/secret",
    "/firmware/a%5C..%5Cb",
    "/firmware//a",
    "/firmware/%00",
    "/firmware/%zz",
  ])("never leave their place: %s", (target) => {
    expect(start().fetch(target)?.status).not.toBe(200);
  });
});

describe("a presigned URL", () => {
  const signed = (expiresInS = 60) => {
    const world = start({ baseUrl: "https://127.0.0.1:8443" });
    const url = new URL(world.artifacts.presign(NAME, expiresInS));
    return { ...world, url, target: url.pathname + url.search };
  };

  it("opens its artifact until it expires, and 403 follows", () => {
    const { fetch, target, time, url } = signed();
    expect(url.origin).toBe("https://127.0.0.1:8443");
    expect(fetch(target)).toMatchObject({ status: 200 });
    time.advance(59_999_000);
    expect(fetch(target)).toMatchObject({ status: 200 });
    time.advance(1_000);
    expect(fetch(target)).toMatchObject({ status: 403, body: expect.stringContaining("expired") });
  });

  it("opens nothing else, and not for longer", () => {
    const { fetch, target, artifacts } = signed();
    artifacts.store.put({ bucket: "firmware", key: "other" }, BYTES);
    for (const forged of [
      target.replace("image%20one.bin", "image%20two.bin"),
      target.replace("/firmware/v1/image%20one.bin", "/firmware/other"),
      target.replace("Expires=60", "Expires=600"),
      target.replace(/Signature=.*/, "Signature="),
      target.replace(/Signature=..../, "Signature=zzzz"),
      PATH,
    ])
      expect(fetch(forged)).toMatchObject({ status: 403 });
  });

  it("is made for S3's addresses of both styles and for our own", () => {
    const { artifacts } = signed();
    for (const url of [
      "https://s3.us-east-1.amazonaws.com/firmware/v1/a%20b",
      "https://s3-eu-west-1.amazonaws.com/firmware/v1/a%20b",
      "https://firmware.s3.amazonaws.com/v1/a%20b",
      "https://firmware.s3.eu-west-1.amazonaws.com/v1/a%20b?versionId=3",
      "https://127.0.0.1:8443/firmware/v1/a%20b",
    ])
      expect(artifacts.locate(url)).toEqual({ bucket: "firmware", key: "v1/a b" });
    for (const url of ["https://example.com/firmware/a", "nonsense", "https://s3.amazonaws.com/firmware"])
      expect(artifacts.locate(url)).toBeUndefined();
  });
});
