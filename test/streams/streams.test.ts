import fc from "fast-check";
import { decodeCbor, encodeCbor } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { wantedBlocks } from "../../broker/streams/block-request.js";
import { startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const ARN = "arn:aws:iot:us-east-1:000000000000:stream/s1";
const roleArn = "arn:aws:iam::000000000000:role/streams";
const location = { bucket: "firmware", key: "image.bin" };
const CONTENT = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7) % 256));
const EPOCH_S = Date.UTC(2026, 0, 1) / 1000;

const stream = { files: [{ fileId: 3, s3Location: location }], roleArn, description: "d" };

async function start() {
  const world = startApi();
  world.cloud.management.artifacts.store.put(location, CONTENT);
  await world.ok("POST", "/streams/s1", stream);
  const client = connectClient(world, "c1");
  const ask = (verb: string, body: unknown, format = "json", streamId = "s1") => {
    client.publish(`$aws/things/t1/streams/${streamId}/${verb}/${format}`, body);
    return client.take().map(({ topic, payload }) => ({
      kind: topic.split("/").at(-2),
      body: (format === "json"
        ? JSON.parse(Buffer.from(payload).toString())
        : (decodeCbor(payload) as { value: unknown }).value) as Record<string, unknown>,
    }));
  };
  return { ...world, client, ask };
}

describe("streams over HTTP", () => {
  it("are created, described, updated, listed and deleted", async () => {
    const { ok, refused } = startApi();
    const created = { streamId: "s1", streamArn: ARN, description: "d", streamVersion: 1 };
    expect(await ok("POST", "/streams/s1", stream)).toEqual(created);
    expect(await refused("POST", "/streams/s1", stream)).toMatchObject({
      name: "ResourceAlreadyExistsException",
      status: 409,
    });
    await ok("POST", "/streams/s2", stream);
    expect(await ok("PUT", "/streams/s1", { description: "e" })).toMatchObject({ streamVersion: 2 });
    expect(await ok("GET", "/streams/s1")).toEqual({
      streamInfo: {
        streamId: "s1",
        streamArn: ARN,
        streamVersion: 2,
        description: "e",
        files: stream.files,
        roleArn,
        createdAt: EPOCH_S,
        lastUpdatedAt: EPOCH_S,
      },
    });
    const ids = async (query: string) =>
      (await ok("GET", `/streams${query}`)).streams.map(({ streamId }: { streamId: string }) => streamId);
    expect(await ids("")).toEqual(["s2", "s1"]);
    expect(await ids("?isAscendingOrder=true")).toEqual(["s1", "s2"]);
    await ok("DELETE", "/streams/s1");
    expect(await refused("GET", "/streams/s1")).toMatchObject({ name: "ResourceNotFoundException" });
    expect(await refused("DELETE", "/streams/s1")).toMatchObject({ status: 404 });
  });

  it("have at least one file, each with an id of its own", async () => {
    const { refused } = startApi();
    for (const files of [[], [stream.files[0], stream.files[0]], [{ fileId: 256, s3Location: location }]])
      expect(await refused("POST", "/streams/s1", { files, roleArn })).toMatchObject({
        name: "InvalidRequestException",
      });
  });
});

describe("streams over MQTT (REF §8)", () => {
  it("describe themselves to a client that has not subscribed", async () => {
    const { ask } = await start();
    const description = { s: 1, d: "d", r: [{ f: 3, z: 10_000 }] };
    expect(ask("describe", { c: "t" })).toEqual([{ kind: "description", body: { c: "t", ...description } }]);
    expect(ask("describe", encodeCbor({}), "cbor")).toEqual([{ kind: "description", body: description }]);
  });

  it("come block by block, the last one shorter, until the file is whole", async () => {
    const { ask } = await start();
    const blocks = ask("get", { c: "t", s: 1, f: 3, l: 4096, o: 0, n: 10 });
    expect(blocks.map(({ kind, body }) => [kind, body["c"], body["f"], body["i"], body["l"]])).toEqual([
      ["data", "t", 3, 0, 4096],
      ["data", "t", 3, 1, 4096],
      ["data", "t", 3, 2, 1808],
    ]);
    const whole = Buffer.concat(blocks.map(({ body }) => Buffer.from(body["p"] as string, "base64")));
    expect(whole.equals(CONTENT)).toBe(true);
  });

  it("send the blocks of a bitmap, from its offset on (golden vector)", async () => {
    const { ask } = await start();
    const indexes = (body: unknown) => ask("get", body).map((answer) => answer.body["i"]);
    expect(indexes({ f: 3, l: 256, o: 0, b: "0x130080" })).toEqual([0, 1, 4, 23]);
    expect(indexes({ f: 3, l: 256, o: 20, b: "0x130080" })).toEqual([20, 21, 24]);
    expect(indexes({ f: 3, l: 256, o: 0, b: "0x130080", n: 2 })).toEqual([0, 1]);
    expect(wantedBlocks({ ...BLOCKS, offset: 20, bitmap: Buffer.from("130080", "hex") }, 100)).toEqual([
      20, 21, 24, 43,
    ]);
  });

  it("have bytes and byte bitmaps in CBOR", async () => {
    const { client, ask } = await start();
    const body = encodeCbor({ f: 3, l: 256, o: 2, b: Uint8Array.of(0b101) });
    const answers = askBytes(client, "$aws/things/t1/streams/s1/get/cbor", body);
    expect(answers).toEqual([
      { f: 3, l: 256, i: 2, p: new Uint8Array(CONTENT.subarray(512, 768)) },
      { f: 3, l: 256, i: 4, p: new Uint8Array(CONTENT.subarray(1024, 1280)) },
    ]);
    expect(ask("describe", "{", "json")[0]!.body["o"]).toBe("InvalidJson");
  });

  it("answer one request with 128 KB at most", async () => {
    const { ask, cloud } = await start();
    cloud.management.artifacts.store.put(location, Buffer.alloc(300_000));
    const bytes = (body: unknown) =>
      ask("get", body).reduce((sum, answer) => sum + (answer.body["l"] as number), 0);
    expect(bytes({ f: 3, l: 1000, n: 5000 })).toBe(131_000);
    expect(bytes({ f: 3, l: 131_072, n: 2 })).toBe(131_072);
    expect(bytes({ f: 3, l: 4096 })).toBe(131_072);
  });

  it.each([
    ["get", { f: 3, l: 255 }, "BlockSizeOutOfBounds"],
    ["get", { f: 3, l: 131_073 }, "BlockSizeOutOfBounds"],
    ["get", { f: 3, l: 256, o: 98_305 }, "OffsetOutOfBounds"],
    ["get", { f: 3, l: 256, o: 40 }, "OffsetOutOfBounds"],
    ["get", { f: 3, l: 256, n: 98_305 }, "BlockCountLimitExceeded"],
    ["get", { f: 3, l: 256, b: "00".repeat(12_289) }, "BlockBitmapLimitExceeded"],
    ["get", { f: 3, l: 256, b: "0xyz" }, "InvalidRequest"],
    ["get", { f: 3, l: 256, b: 5 }, "InvalidRequest"],
    ["get", { f: 3, l: 256, s: 9 }, "VersionMismatch"],
    ["get", { f: 4, l: 256 }, "ResourceNotFound"],
    ["get", { f: -1, l: 256 }, "InvalidRequest"],
    ["get", { l: 256 }, "InvalidRequest"],
    ["get", { f: 3, l: 256, c: "x".repeat(65) }, "InvalidRequest"],
    ["get", [], "InvalidJson"],
    ["get", "{", "InvalidJson"],
  ])("reject %s %j with %s", async (verb, body, code) => {
    const { ask } = await start();
    expect(ask(verb, body)).toEqual([{ kind: "rejected", body: { o: code, m: expect.any(String) } }]);
  });

  it("reject what is no CBOR, streams that do not exist, and files that are gone", async () => {
    const { ask, cloud } = await start();
    expect(ask("get", "x", "cbor")[0]!.body["o"]).toBe("InvalidCbor");
    expect(ask("describe", { c: "t" }, "json", "s9")[0]!.body).toMatchObject({
      c: "t",
      o: "ResourceNotFound",
    });
    cloud.management.artifacts.store.delete(location);
    expect(ask("describe", {})[0]!.body["o"]).toBe("ResourceNotFound");
    expect(ask("get", { f: 3, l: 256 })[0]!.body["o"]).toBe("ResourceNotFound");
  });

  it("answer nobody but the client that asked", async () => {
    const { client, ...world } = await start();
    const spy = connectClient(world, "spy");
    spy.subscribe("$aws/things/t1/streams/#");
    client.publish("$aws/things/t1/streams/s1/describe/json", {});
    client.publish("$aws/things/t1/streams/s1/data/json", {});
    expect(spy.take()).toEqual([]);
    expect(client.take()).toHaveLength(1);
  });
});

const BLOCKS = { streamVersion: 1, fileId: 0, blockBytes: 256, offset: 0, count: 512, bitmap: undefined };

function askBytes(client: ReturnType<typeof connectClient>, topic: string, body: Uint8Array): unknown[] {
  client.take();
  client.publish(topic, body);
  return client.take().map(({ payload }) => (decodeCbor(payload) as { value: unknown }).value);
}

describe("wanted blocks", () => {
  it("are the set bits of the bitmap within the file, in order, and no more than asked for", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.nat(50),
        fc.nat(100),
        fc.nat(400),
        (bitmap, offset, count, blocks) => {
          const expected: number[] = [];
          for (let bit = 0; bit < bitmap.length * 8; bit += 1)
            if ((bitmap[Math.floor(bit / 8)]! & (2 ** (bit % 8))) !== 0 && offset + bit < blocks)
              expected.push(offset + bit);
          expect(wantedBlocks({ ...BLOCKS, offset, count, bitmap }, blocks)).toEqual(
            expected.slice(0, count),
          );
        },
      ),
    );
  });
});
