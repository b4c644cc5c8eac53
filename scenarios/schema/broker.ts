import { EVENT_TYPES } from "fleetrig/broker";
import { block, choice, flag, integer, list, named, text } from "./block.js";
import { distribution } from "./distribution.js";
import { bitrate, rate, share } from "./quantities.js";

export const brokerBlock = block(
  {
    mode: choice(["embedded", "external"], "Start our own broker, or use the one at `url`.").optional(),
    url: text("External broker: mqtt://, mqtts://, ws:// or wss://.", 2048).optional(),
    listen: text(
      "Address of the embedded broker in real time, host:port; port 0 picks a free one.",
      256,
    ).optional(),
    profile: choice(
      ["aws", "oasis"],
      "Conformance: AWS IoT Core with its documented deviations, or the OASIS standard.",
    ).optional(),
    limits: block(
      {
        connectRate: rate("CONNECTs accepted per second; unlimited without it.").optional(),
        overload: choice(
          ["refuse", "queue"],
          "What happens above connectRate: CONNACK 0x97, or waiting for a turn.",
        ).optional(),
        maxQueuedPerSession: integer("Messages kept for one offline session.", 0, 1_000_000).optional(),
        maxInflight: integer("Unacknowledged QoS 1 messages per connection.", 1, 65_535).optional(),
      },
      "Limits of the embedded broker.",
    ).optional(),
  },
  "The broker under test.",
);

export const servicesBlock = block(
  {
    shadows: flag("Device Shadow service.").optional(),
    jobs: flag("Jobs service.").optional(),
    rules: flag("Topic rules.").optional(),
    events: list(
      choice(EVENT_TYPES, "One kind of event."),
      "Events of the registry and of jobs that are published on $aws/events/; presence always is.",
    ).optional(),
  },
  "Cloud services beside the broker; each is off unless switched on.",
);

export const networkBlock = named(
  block({
    latency: distribution("One-way latency of the link.").optional(),
    loss: share(
      "Share of TCP segments lost: each costs a retransmission delay, never the message.",
    ).optional(),
    bandwidth: bitrate("Bits per second in each direction; unlimited without it.").optional(),
  }),
  "Link profiles by name.",
);
