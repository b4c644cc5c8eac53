import { once } from "node:events";
import { type iot, mqtt5 } from "aws-iot-device-sdk-v2";

/** A connected client of the device SDK, and what the server granted it. */
export interface ConnectedClient {
  readonly client: mqtt5.Mqtt5Client;
  readonly settings: mqtt5.NegotiatedSettings;
  /** Resolves with the first message whose topic this is. */
  next(topic: string): Promise<mqtt5.PublishPacket>;
  stop(): Promise<void>;
}

export type Mqtt5ConfigBuilder = iot.AwsIotMqtt5ClientConfigBuilder;

export const textOf = ({ payload }: mqtt5.PublishPacket): string =>
  Buffer.from((payload ?? new Uint8Array()) as Uint8Array).toString();

export interface RefusedConnection {
  readonly reasonCode: number | undefined;
  readonly error: string;
}

/** Starts a client that is to connect at the first attempt. */
export async function connectMqtt5(
  builder: Mqtt5ConfigBuilder,
  connect: string | mqtt5.ConnectPacket,
): Promise<ConnectedClient> {
  const properties = typeof connect === "string" ? propertiesOf(connect) : connect;
  const client = new mqtt5.Mqtt5Client(builder.withConnectProperties(properties).build());
  const connected = outcome(client);
  client.start();
  const result = await connected;
  if ("error" in result) {
    await stop(client);
    throw new TypeError(`${properties.clientId} was not connected: ${result.error}`);
  }
  return {
    client,
    settings: result,
    next: (topic) =>
      new Promise((resolve) => {
        client.on("messageReceived", ({ message }) => {
          if (message.topicName === topic) resolve(message);
        });
      }),
    stop: () => stop(client),
  };
}

/** Starts a client that is to be refused. */
export async function refusedMqtt5(
  builder: Mqtt5ConfigBuilder,
  clientId: string,
): Promise<RefusedConnection> {
  const client = new mqtt5.Mqtt5Client(builder.withConnectProperties(propertiesOf(clientId)).build());
  const connected = outcome(client);
  client.start();
  const result = await connected;
  await stop(client);
  if ("error" in result) return result;
  throw new TypeError(`${clientId} was connected`);
}

const propertiesOf = (clientId: string): mqtt5.ConnectPacket => ({ clientId, keepAliveIntervalSeconds: 60 });

const outcome = (client: mqtt5.Mqtt5Client): Promise<mqtt5.NegotiatedSettings | RefusedConnection> =>
  new Promise((resolve) => {
    client.once("connectionSuccess", ({ settings }) => resolve(settings));
    client.once("connectionFailure", ({ error, connack }) =>
      resolve({ error: String(error), reasonCode: connack?.reasonCode }),
    );
  });

/**
 * Without a DISCONNECT: in the SDK's 1.28 an acknowledgement that is due while its DISCONNECT waits keeps the client
 * from ever sending either.
 */
async function stop(client: mqtt5.Mqtt5Client): Promise<void> {
  const stopped = once(client, "stopped");
  client.stop();
  await stopped;
  client.close();
}
