import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createRandomSource, RealTime, LANE } from "fleetrig/kernel";
import { Api, Cloud, OPERATIONS } from "fleetrig/broker";

/** The one of AWS's examples, so that a default would be noticed. */
export const ACCOUNT_ID = "123456789012";

/** A cloud on free ports of loopback, as other people's clients find it. */
export interface CloudUnderTest {
  readonly cloud: Cloud;
  /** Plain HTTP control plane and data plane. */
  readonly url: string;
  /** Plain MQTT. */
  readonly mqttUrl: string;
  stop(): Promise<void>;
}

export async function startCloudUnderTest(): Promise<CloudUnderTest> {
  const time = new RealTime();
  const random = createRandomSource(1);
  const cloud = new Cloud({ time, random, account: { accountId: ACCOUNT_ID } });
  const api = new Api({
    cloud,
    operations: OPERATIONS,
    clock: time.lane(LANE.services),
    random: random.stream("api"),
    events: { emit: (event) => void (event.type === "api.fault" && console.error(event)) },
  });
  const server = createServer((request, response) => {
    void (async () => {
      const answer = await api.handle(
        {
          method: request.method!,
          target: request.url!,
          headers: new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
          body: await bodyOf(request),
          remoteAddress: "127.0.0.1",
        },
        { kind: "operator" },
      );
      response.writeHead(answer.status, answer.headers).end(answer.body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = await cloud.listen({ port: 0 });
  return {
    cloud,
    mqttUrl: `mqtt://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await cloud.stop();
      time.stop();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
