import { createRandomSource, type Random } from "fleetrig/kernel";
import { createCloudServer } from "fleetrig/broker";
import type { Operation } from "./history.js";
import { httpShadowClient, mqttShadowClient, type Reply, type ShadowClient } from "./shadow-clients.js";

export interface ContestOptions {
  /** Over all clients. */
  readonly operations: number;
  readonly seed: number;
}

/** How many shadows the clients quarrel about, and how many clients each has: half over MQTT, half over HTTP. */
const SHADOWS = 5;
const CLIENTS = 10;
const KEYS = ["a", "b", "c", "d"];

/** Clients update and read the same shadows at the same time. @returns each shadow's history. */
export async function contest({
  operations,
  seed,
}: ContestOptions): Promise<readonly (readonly Operation[])[]> {
  const server = await createCloudServer({
    ports: { mqtt: 0, http: 0, mqtts: "off", https: "off", tls: "off" },
  });
  const random = createRandomSource(seed);
  const each = Math.ceil(operations / (SHADOWS * CLIENTS));
  try {
    return await Promise.all(
      Array.from({ length: SHADOWS }, async (_, shadow) => {
        const thing = `shared-${shadow}`;
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, (_client, index) =>
            index % 2 === 0
              ? mqttShadowClient(server.port("mqtt")!, thing, `${thing}-${index}`)
              : httpShadowClient(server.port("http")!, thing),
          ),
        );
        const histories = await Promise.all(
          clients.map((client, index) =>
            quarrel(client, { random: random.stream(`${thing}/${index}`), each }),
          ),
        );
        await Promise.all(clients.map((client) => client.close()));
        return histories.flat();
      }),
    );
  } finally {
    await server.stop();
  }
}

async function quarrel(
  client: ShadowClient,
  { random, each }: { readonly random: Random; readonly each: number },
): Promise<readonly Operation[]> {
  const history: Operation[] = [];
  let known = 0;
  for (let i = 0; i < each; i += 1) {
    const kind = random.fraction();
    const key = KEYS[random.uint32() % KEYS.length]!;
    const value = random.uint32();
    const expected = kind < 0.2 && known > 0 ? known : undefined;
    const beganMs = performance.now();
    const reply =
      kind < 0.7
        ? await client.update({
            state: { reported: { [key]: value } },
            ...(expected !== undefined && { version: expected }),
          })
        : await client.get();
    const span = { beganMs, endedMs: performance.now() };
    if (reply.ok) known = reply.version;
    const operation = kind < 0.7 ? updated(reply, { key, value, expected }) : read(reply);
    history.push({ ...span, ...operation });
  }
  return history;
}

type Outcome = Operation extends infer Each
  ? Each extends Operation
    ? Omit<Each, "beganMs" | "endedMs">
    : never
  : never;

function updated(
  reply: Reply,
  {
    key,
    value,
    expected,
  }: { readonly key: string; readonly value: number; readonly expected: number | undefined },
): Outcome {
  if (reply.ok) return { kind: "update", version: reply.version, key, value };
  if (reply.code === 409 && expected !== undefined) return { kind: "conflict", expected };
  throw new Error(`an update was refused with ${reply.code}`);
}

function read(reply: Reply): Outcome {
  if (reply.ok) return { kind: "get", version: reply.version, state: reply.state.reported ?? {} };
  if (reply.code === 404) return { kind: "get", version: 0, state: {} };
  throw new Error(`a get was refused with ${reply.code}`);
}
