import { Agent, request } from "node:http";
import mqtt from "mqtt";

/** What a shadow said to one request. */
export type Reply =
  | {
      readonly ok: true;
      readonly version: number;
      readonly state: { readonly reported?: Record<string, number> };
    }
  | { readonly ok: false; readonly code: number };

/** A client of one thing's classic shadow, over whatever protocol. One request at a time. */
export interface ShadowClient {
  update(document: object): Promise<Reply>;
  get(): Promise<Reply>;
  close(): Promise<void>;
}

export async function mqttShadowClient(port: number, thing: string, clientId: string): Promise<ShadowClient> {
  const client = await mqtt.connectAsync({
    host: "127.0.0.1",
    port,
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  const root = `$aws/things/${thing}/shadow`;
  const waiting = new Map<string, (reply: Reply) => void>();
  let sent = 0;
  client.on("message", (topic, payload) => {
    const body = JSON.parse(payload.toString()) as {
      clientToken?: string;
      code?: number;
      version: number;
      state: {};
    };
    const settle = waiting.get(body.clientToken ?? "");
    if (settle === undefined) return;
    waiting.delete(body.clientToken!);
    settle(topic.endsWith("/accepted") ? { ok: true, ...body } : { ok: false, code: body.code! });
  });
  await client.subscribeAsync(
    ["update", "get"].flatMap((operation) => [
      `${root}/${operation}/accepted`,
      `${root}/${operation}/rejected`,
    ]),
    { qos: 1 },
  );
  const ask = (operation: string, document: object): Promise<Reply> =>
    new Promise((resolve, reject) => {
      sent += 1;
      const clientToken = `${clientId}-${sent}`;
      waiting.set(clientToken, resolve);
      client.publish(
        `${root}/${operation}`,
        JSON.stringify({ ...document, clientToken }),
        { qos: 1 },
        (error) => {
          if (error) reject(error);
        },
      );
    });
  return {
    update: (document) => ask("update", document),
    get: () => ask("get", {}),
    close: () => client.endAsync(),
  };
}

export async function httpShadowClient(port: number, thing: string): Promise<ShadowClient> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, document?: object): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const call = request(
        { host: "127.0.0.1", port, path: `/things/${thing}/shadow`, method, agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const body = JSON.parse(Buffer.concat(chunks).toString()) as { version: number; state: {} };
            const { statusCode: code = 0 } = response;
            resolve(code === 200 ? { ok: true, ...body } : { ok: false, code });
          });
        },
      );
      call.on("error", reject);
      call.end(document === undefined ? undefined : JSON.stringify(document));
    });
  return {
    update: (document) => ask("POST", document),
    get: () => ask("GET"),
    close: async () => agent.destroy(),
  };
}
