import {
  AttachThingPrincipalCommand,
  CreateCommandCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  CreateThingTypeCommand,
  DeleteCommandCommand,
  DeleteCommandExecutionCommand,
  DescribeThingTypeCommand,
  GetCommandCommand,
  GetCommandExecutionCommand,
  GetThingConnectivityDataCommand,
  ListCommandExecutionsCommand,
  ListCommandsCommand,
  ListPrincipalThingsV2Command,
  ListThingPrincipalsV2Command,
  UpdateCommandCommand,
  UpdateIndexingConfigurationCommand,
  UpdateThingTypeCommand,
} from "@aws-sdk/client-iot";
import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  ListSubscriptionsCommand,
  ResourceNotFoundException as NoSuchData,
  SendDirectMessageCommand,
} from "@aws-sdk/client-iot-data-plane";
import { StartCommandExecutionCommand } from "@aws-sdk/client-iot-jobs-data-plane";
import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import { failureOf, useSdk, WAYS } from "./sdk-clients.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";

describe.each(Object.entries(WAYS))(
  "what is newer than Debian's AWS CLI, in the SDK over %s",
  (_, { isSigned }) => {
    const sdk = useSdk(isSigned);

    it("keeps commands, and has devices carry them out", async () => {
      const payload = { content: Buffer.from('{"reboot":true}'), contentType: "application/json" };
      const { commandArn } = await sdk.iot.send(
        new CreateCommandCommand({ commandId: "reboot", namespace: "AWS-IoT", payload }),
      );
      expect(commandArn).toBe(`${ARN}:command/reboot`);
      await sdk.iot.send(new UpdateCommandCommand({ commandId: "reboot", description: "starts anew" }));
      const got = await sdk.iot.send(new GetCommandCommand({ commandId: "reboot" }));
      expect(Buffer.from(got.payload!.content!).toString()).toBe('{"reboot":true}');
      expect(got).toMatchObject({
        description: "starts anew",
        createdAt: expect.any(Date),
        deprecated: false,
      });
      expect((await sdk.iot.send(new ListCommandsCommand({}))).commands).toMatchObject([
        { commandId: "reboot" },
      ]);

      await sdk.iot.send(new CreateThingCommand({ thingName: "obedient" }));
      const targetArn = `${ARN}:thing/obedient`;
      const device = await connectAsync(sdk.stage.mqttUrl, { protocolVersion: 5, clientId: "obedient" });
      await device.subscribeAsync("$aws/commands/things/obedient/executions/+/request/#", { qos: 1 });
      const answered = new Promise<string>((resolve, reject) => {
        device.once("message", (topic, order) => {
          const answer = JSON.stringify({ status: "SUCCEEDED", statusReason: { reasonCode: "DONE" } });
          const [, , , , , executionId] = topic.split("/");
          device
            .publishAsync(`$aws/commands/things/obedient/executions/${executionId}/response/json`, answer, {
              qos: 1,
            })
            .then(() => resolve(order.toString()), reject);
        });
      });
      const { executionId } = await sdk.jobs.send(
        new StartCommandExecutionCommand({ commandArn: commandArn!, targetArn, executionTimeoutSeconds: 60 }),
      );
      expect(await answered).toBe('{"reboot":true}');
      const execution = await sdk.iot.send(
        new GetCommandExecutionCommand({ executionId: executionId!, targetArn }),
      );
      expect(execution).toMatchObject({
        status: "SUCCEEDED",
        statusReason: { reasonCode: "DONE" },
        startedAt: expect.any(Date),
      });
      const { commandExecutions } = await sdk.iot.send(
        new ListCommandExecutionsCommand({ commandArn: commandArn! }),
      );
      expect(commandExecutions).toMatchObject([{ executionId, status: "SUCCEEDED" }]);
      await sdk.iot.send(new DeleteCommandExecutionCommand({ executionId: executionId!, targetArn }));
      await sdk.iot.send(new UpdateCommandCommand({ commandId: "reboot", deprecated: true }));
      await sdk.iot.send(new DeleteCommandCommand({ commandId: "reboot" }));
      await device.endAsync();
    });

    it("knows exclusive principals, types for MQTT 5, connectivity", async () => {
      const { certificateArn } = await sdk.iot.send(
        new CreateKeysAndCertificateCommand({ setAsActive: true }),
      );
      await sdk.iot.send(new CreateThingCommand({ thingName: "owner" }));
      await sdk.iot.send(
        new AttachThingPrincipalCommand({
          thingName: "owner",
          principal: certificateArn,
          thingPrincipalType: "EXCLUSIVE_THING",
        }),
      );
      expect(
        (await sdk.iot.send(new ListThingPrincipalsV2Command({ thingName: "owner" }))).thingPrincipalObjects,
      ).toEqual([{ principal: certificateArn, thingPrincipalType: "EXCLUSIVE_THING" }]);
      expect(
        (await sdk.iot.send(new ListPrincipalThingsV2Command({ principal: certificateArn })))
          .principalThingObjects,
      ).toEqual([{ thingName: "owner", thingPrincipalType: "EXCLUSIVE_THING" }]);
      await sdk.iot.send(new CreateThingTypeCommand({ thingTypeName: "Five" }));
      const mqtt5Configuration = {
        propagatingAttributes: [{ userPropertyKey: "kind", connectionAttribute: "iot:ClientId" }],
      };
      await sdk.iot.send(
        new UpdateThingTypeCommand({ thingTypeName: "Five", thingTypeProperties: { mqtt5Configuration } }),
      );
      const { thingTypeProperties } = await sdk.iot.send(
        new DescribeThingTypeCommand({ thingTypeName: "Five" }),
      );
      expect(thingTypeProperties).toMatchObject({ mqtt5Configuration });
      await sdk.iot.send(
        new UpdateIndexingConfigurationCommand({
          thingIndexingConfiguration: {
            thingIndexingMode: "REGISTRY",
            thingConnectivityIndexingMode: "STATUS",
          },
        }),
      );
      const device = await connectAsync(sdk.stage.mqttUrl, { clientId: "owner" });
      const connected = await sdk.iot.send(new GetThingConnectivityDataCommand({ thingName: "owner" }));
      expect(connected).toMatchObject({ thingName: "owner", connected: true });
      await device.endAsync();
    });

    it("looks after connections", async () => {
      const client = await connectAsync(sdk.stage.mqttUrl, {
        protocolVersion: 5,
        clientId: "looked-after",
        reconnectPeriod: 0,
      });
      await client.subscribeAsync("looked/+", { qos: 1 });
      const { connected, cleanSession } = await sdk.data.send(
        new GetConnectionCommand({ clientId: "looked-after" }),
      );
      expect({ connected, cleanSession }).toEqual({ connected: true, cleanSession: true });
      const { subscriptions } = await sdk.data.send(
        new ListSubscriptionsCommand({ clientId: "looked-after" }),
      );
      expect(subscriptions).toMatchObject([{ topicFilter: "looked/+", qos: 1 }]);
      const direct = new Promise<string>((resolve) =>
        client.once("message", (topic, payload) => resolve(`${topic} ${payload.toString()}`)),
      );
      await sdk.data.send(
        new SendDirectMessageCommand({
          clientId: "looked-after",
          topic: "not/subscribed",
          payload: Buffer.from("you"),
        }),
      );
      expect(await direct).toBe("not/subscribed you");
      const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
      await sdk.data.send(new DeleteConnectionCommand({ clientId: "looked-after" }));
      await closed;
      expect(
        await failureOf(sdk.data.send(new GetConnectionCommand({ clientId: "never-there" }))),
      ).toBeInstanceOf(NoSuchData);
      await client.endAsync(true);
    });
  },
);
