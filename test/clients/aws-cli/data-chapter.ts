import { connectAsync } from "mqtt";
import { expect, it } from "vitest";
import type { CloudUnderTest } from "../cloud-under-test.js";
import type { AwsCli, Json } from "./aws-cli.js";

const raw = "raw-in-base64-out";
const decoded = (base64: string): string => Buffer.from(base64, "base64").toString();

export function dataChapter(aws: AwsCli, stage: () => CloudUnderTest): void {
  const shadow = (name: string): Json => JSON.parse(aws.read(name));

  it("publishes to whoever subscribed over MQTT", async () => {
    const client = await connectAsync(stage().mqttUrl, { protocolVersion: 5, clientId: "cli-listener" });
    await client.subscribeAsync("cli/#", { qos: 1 });
    const received: { topic: string; text: string; qos: number; type: string | undefined }[] = [];
    const two = new Promise<void>((resolve) => {
      client.on("message", (topic, payload, { qos, properties }) => {
        received.push({ topic, text: payload.toString(), qos, type: properties?.contentType });
        if (received.length === 2) resolve();
      });
    });
    await aws`iot-data publish --topic cli/one --qos 1 --cli-binary-format ${raw} --payload ${'{"n":1}'} --content-type application/json`;
    await aws`iot-data publish --topic cli/two --payload ${Buffer.from("two").toString("base64")}`;
    await two;
    expect(received).toEqual([
      { topic: "cli/one", text: '{"n":1}', qos: 1, type: "application/json" },
      { topic: "cli/two", text: "two", qos: 0, type: undefined },
    ]);
    await client.endAsync();
  });

  it("refuses topics that cannot be published to", async () => {
    for (const topic of ["with/#", "with/+/plus"])
      expect(await aws.refused`iot-data publish --topic ${topic}`, topic).toMatchObject({
        name: "InvalidRequestException",
        operation: "Publish",
      });
  });

  it("keeps retained messages, and shows them", async () => {
    await aws`iot-data publish --topic kept/state --qos 1 --retain --cli-binary-format ${raw} --payload ${"on"}`;
    await aws`iot-data publish --topic kept/other --retain --cli-binary-format ${raw} --payload ${"four"}`;
    const { retainedTopics } = await aws`iot-data list-retained-messages`;
    expect(retainedTopics).toEqual(
      expect.arrayContaining([
        { topic: "kept/state", payloadSize: 2, qos: 1, lastModifiedTime: expect.any(Number) },
        { topic: "kept/other", payloadSize: 4, qos: 0, lastModifiedTime: expect.any(Number) },
      ]),
    );
    const paged = await aws`iot-data list-retained-messages --page-size 1`;
    expect(paged.retainedTopics).toHaveLength(retainedTopics.length);
    const kept = await aws`iot-data get-retained-message --topic kept/state`;
    expect({ ...kept, payload: decoded(kept.payload) }).toMatchObject({
      topic: "kept/state",
      payload: "on",
      qos: 1,
    });
    await aws`iot-data publish --topic kept/state --retain`;
    expect(await aws.refused`iot-data get-retained-message --topic kept/state`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("reads, changes and deletes a classic shadow", async () => {
    const out = aws.file("shadow.json");
    expect(await aws.refused`iot-data get-thing-shadow --thing-name lamp ${out}`).toMatchObject({
      name: "ResourceNotFoundException",
      message: "No shadow exists with name: 'lamp'",
    });
    await aws`iot-data update-thing-shadow --thing-name lamp --cli-binary-format ${raw} --payload ${{ state: { desired: { on: true }, reported: { on: false } } }} ${out}`;
    expect(shadow("shadow.json")).toMatchObject({ state: { desired: { on: true } }, version: 1 });
    await aws`iot-data get-thing-shadow --thing-name lamp ${out}`;
    expect(shadow("shadow.json")).toMatchObject({
      state: { desired: { on: true }, reported: { on: false }, delta: { on: true } },
      metadata: { desired: { on: { timestamp: expect.any(Number) } } },
      version: 1,
      timestamp: expect.any(Number),
    });
    expect(
      await aws.refused`iot-data update-thing-shadow --thing-name lamp --cli-binary-format ${raw} --payload ${{ state: { reported: { on: true } }, version: 7 }} ${out}`,
    ).toMatchObject({ name: "ConflictException", message: "Version conflict" });
    expect(
      await aws.refused`iot-data update-thing-shadow --thing-name lamp --cli-binary-format ${raw} --payload ${"{"} ${out}`,
    ).toMatchObject({ name: "InvalidRequestException" });
    await aws`iot-data delete-thing-shadow --thing-name lamp ${out}`;
    expect(shadow("shadow.json")).toMatchObject({ version: 1 });
  });

  it("keeps named shadows apart, and lists them", async () => {
    const out = aws.file("named.json");
    for (const name of ["config", "health", "wifi"])
      await aws`iot-data update-thing-shadow --thing-name lamp2 --shadow-name ${name} --cli-binary-format ${raw} --payload ${{ state: { reported: { name } } }} ${out}`;
    await aws`iot-data get-thing-shadow --thing-name lamp2 --shadow-name wifi ${out}`;
    expect(shadow("named.json").state.reported).toEqual({ name: "wifi" });
    const first = await aws`iot-data list-named-shadows-for-thing --thing-name lamp2 --page-size 2`;
    expect(first).toMatchObject({
      results: ["config", "health"],
      nextToken: expect.any(String),
      timestamp: expect.any(Number),
    });
    const rest =
      await aws`iot-data list-named-shadows-for-thing --thing-name lamp2 --next-token ${first.nextToken}`;
    expect(rest.results).toEqual(["wifi"]);
    await aws`iot-data delete-thing-shadow --thing-name lamp2 --shadow-name wifi ${out}`;
    expect(
      await aws.refused`iot-data get-thing-shadow --thing-name lamp2 --shadow-name wifi ${out}`,
    ).toMatchObject({ name: "ResourceNotFoundException" });
  });
}
