import { IDENTITY_FIELDS } from "fleetrig/sim";
import { z } from "zod";
import { anyJson, block, choice, flag, freeObject, integer, list, name, qos, text } from "./block.js";
import { identityBlock } from "./cloud.js";
import { distribution } from "./distribution.js";
import { message, nameValue } from "./message.js";
import { duration, rate, share } from "./quantities.js";
import { signalsBlock } from "./signals.js";

const RECONNECT_POLICIES = [
  "none",
  "constant",
  "exponential",
  "equal-jitter",
  "full-jitter",
  "decorrelated",
] as const;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const attribute = z
  .union(
    [
      scalar,
      block({
        choice: z
          .record(z.string(), share("Share of the group."))
          .meta({ description: "Values with their shares, which add up to 100%." }),
      }),
      block({
        cycle: block({
          from: z.int().meta({ description: "First value." }),
          to: z.int().meta({ description: "Last value, then from the first again." }),
        }),
      }),
      block({
        identity: choice(
          IDENTITY_FIELDS as readonly [string, ...string[]],
          "A field of the device's invented identity, fixed by the seed and the thing's name.",
        ),
      }),
    ],
    {
      error: (issue) =>
        message(
          `Expected a value or one way to generate it, but found ${nameValue(issue.input)}.`,
          "Write a plain value, { choice: { a: 70%, b: 30% } }, { cycle: { from: 1, to: 20 } } or { identity: serial }.",
        ),
    },
  )
  .meta({ description: "A value for all, or a way to give each thing its own." });

const mqttBlock = block(
  {
    protocolVersion: z
      .literal([4, 5, "3.1.1", "5"], {
        error: (issue) => `Expected MQTT version 5 or 3.1.1, but found ${nameValue(issue.input)}.`,
      })
      .meta({ description: "5, or 3.1.1 (also written 4)." })
      .optional(),
    keepAlive: duration("Keep-alive in whole seconds; AWS coerces it into 30 to 1200 s.").optional(),
    cleanStart: flag("Start without a session.").optional(),
    sessionExpiry: duration("How long the broker keeps the session of an offline client.").optional(),
    receiveMaximum: integer("QoS 1 messages the client takes unacknowledged.", 1, 65_535).optional(),
    publishRetry: duration(
      "MQTT 3.1.1: repeats a PUBLISH on the standing connection when PUBACK has not come for so long. Without it only a reconnect does.",
    ).optional(),
    will: block({
      topic: text("Topic; may name {thingName} and attributes.", 256),
      payload: z.string().meta({ description: "Payload; may name {thingName} and attributes." }).optional(),
      qos: qos("QoS of the will.").optional(),
      retain: flag("Retain flag of the will.").optional(),
      delay: duration("Will delay interval (MQTT 5).").optional(),
    }).optional(),
  },
  "How devices of the group speak MQTT.",
);

const arrivalBlock = block(
  {
    rate: rate("Devices per second.").optional(),
    spread: duration("Time over which the whole group arrives.").optional(),
    distribution: choice(
      ["uniform", "linear", "poisson"],
      "linear: evenly spaced; uniform: at random within spread; poisson: at random with that rate.",
    ).optional(),
  },
  "When devices connect first: a rate, or a spread. Without it, all at once.",
);

const telemetryItem = block({
  name: name("Name of the stream.").optional(),
  every: duration("Interval."),
  phase: choice(
    ["random", "aligned", "index"],
    "random: each device at its own offset; aligned: all at once; index: evenly spread.",
  ).optional(),
  topic: text("Topic; may name {thingName}, {index} and attributes.", 512),
  qos: qos("QoS.").optional(),
  retain: flag("Retain flag.").optional(),
  traceField: text(
    "Payload key that holds {seq}; needed by MQTT 3.1.1 devices. Default: the first such key.",
    128,
  ).optional(),
  payload: anyJson(
    "Payload. Strings may name {thingName}, {index}, {seq}, {now}, {state.<signal>} and attributes.",
  ).optional(),
});

const reconnectBlock = block(
  {
    policy: choice(RECONNECT_POLICIES, "How long to wait before attempt a = 0, 1, 2..."),
    base: duration("Wait before the first attempt.").optional(),
    cap: duration("Longest wait.").optional(),
    resetAfter: duration("The attempt counter starts over after a connection of this length.").optional(),
  },
  "What a device does when it loses its connection.",
);

export const fleetGroup = block({
  group: name("Name of the group."),
  model: text(
    "builtin:temperature-sensor, or a machine in a file: ./models/pump.ts#default.",
    512,
  ).optional(),
  count: integer("How many devices.", 1, 1_000_000).optional(),
  thingName: text('Name of each thing, such as "hq-{index:04}".', 256).optional(),
  things: list(text("Thing name.", 128), "Thing names, instead of count and thingName.")
    .min(1, "The list names no thing.")
    .optional(),
  requires: z
    .literal("hardware", { error: () => "Expected hardware: nothing else can be required." })
    .meta({ description: "Real boards: skipped, and reported as skipped, when no port is present." })
    .optional(),
  attributes: z.record(z.string(), attribute).meta({ description: "Attributes of each thing." }).optional(),
  thingType: name("Thing type of each thing.").optional(),
  thingGroups: list(name("Name of a thing group."), "Static thing groups that each thing joins.").optional(),
  identity: identityBlock.optional(),
  network: name("Name of a link profile; without it, a perfect link.").optional(),
  mqtt: mqttBlock.optional(),
  connect: block({ arrival: arrivalBlock.optional() }).optional(),
  reconnect: reconnectBlock.optional(),
  telemetry: list(telemetryItem, "What each device publishes.").optional(),
  shadow: block(
    {
      name: name("Named shadow; without it, the classic shadow.").optional(),
      applyTime: distribution("How long the device needs to apply a delta.").optional(),
    },
    "How devices follow their shadow.",
  ).optional(),
  ota: block(
    {
      executionTime: distribution("From IN_PROGRESS to a terminal status.").optional(),
      blockBytes: integer("Size of one block of the download.", 1, 131_072).optional(),
    },
    "How devices carry out an update.",
  ).optional(),
  buffer: block(
    {
      capacity: integer("Messages kept while offline; 0 drops at once.", 0, 1_000_000).optional(),
      overflow: choice(["drop-oldest", "drop-newest"], "Which message a full buffer gives up.").optional(),
    },
    "What a device keeps while it is offline.",
  ).optional(),
  signals: signalsBlock.optional(),
  settings: freeObject("Settings for the model's machine.").optional(),
});

export type AttributeDocument = z.infer<typeof attribute>;
export type FleetGroupDocument = z.infer<typeof fleetGroup>;
