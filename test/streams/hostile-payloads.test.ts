import fc from "fast-check";
import { encodeCbor } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const roleArn = "arn:aws:iam::000000000000:role/r";
const s3Location = { bucket: "firmware", key: "image" };
const COMMAND = { targetArn: "arn:aws:iot:us-east-1:000000000000:client/c1" };

const scalar = fc.oneof(
  fc.integer({ min: -2, max: 140_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
  fc.constantFrom(null, true, "0x13", "__proto__", "SUCCEEDED", "IN_PROGRESS"),
);
const key = fc.constantFrom(
  "c",
  "s",
  "f",
  "l",
  "o",
  "n",
  "b",
  "status",
  "statusReason",
  "result",
  "__proto__",
  "S",
);
const body = fc.letrec((tie) => ({
  map: fc.array(fc.tuple(key, fc.oneof({ maxDepth: 3 }, scalar, tie("map")))).map(Object.fromEntries),
})).map;

describe("hostile payloads on the topics of streams and commands", () => {
  it("get one answer or some blocks, whatever they are, and break nothing", async () => {
    const world = startApi();
    const { management } = world.cloud;
    management.artifacts.store.put(s3Location, Buffer.alloc(3000));
    management.streams.create({ streamId: "s", files: [{ fileId: 0, s3Location }], roleArn });
    management.commands.create({ commandId: "c", payload: { content: Uint8Array.of(1) } });
    const commandArn = "arn:aws:iot:us-east-1:000000000000:command/c";
    const client = connectClient(world, "c1");
    const payload = fc.oneof(
      body.map((value) => ["json", Buffer.from(JSON.stringify(value))] as const),
      body.map((value) => ["cbor", encodeCbor(value as never)] as const),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ["cbor", bytes] as const),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ["json", bytes] as const),
    );
    fc.assert(
      fc.property(fc.constantFrom("describe", "get", "response"), payload, (verb, [format, bytes]) => {
        const { executionId } = management.executions.start({ ...COMMAND, commandArn });
        client.take();
        const topic =
          verb === "response"
            ? `$aws/commands/clients/c1/executions/${executionId}/response/${format}`
            : `$aws/things/t1/streams/s/${verb}/${format}`;
        client.publish(topic, bytes);
        const answers = client.take();
        if (verb === "response") expect(answers).toHaveLength(1);
        else
          expect(answers.every((answer) => answer.topic.startsWith("$aws/things/t1/streams/s/"))).toBe(true);
        expect(client.isOpen).toBe(true);
        world.time.advance(11_000_000);
      }),
      { numRuns: 2000 },
    );
    expect(world.events.filter(({ type }) => type === "api.fault")).toEqual([]);
    expect(({} as Record<string, unknown>)["status"]).toBeUndefined();
  });
});
