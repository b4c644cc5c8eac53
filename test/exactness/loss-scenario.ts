import type { RunRecord } from "fleetrig/reports";
import type { World } from "../../scenarios/runner/world.js";
import { metric, runText } from "../determinism/run-text.js";

/**
 * A fleet whose links swallow known messages. `drops` are spread over the devices as evenly as they go, each
 * device's at every second position from its fourth publish on.
 */
const DEVICES = 20;
const EVERY_MS = 500;
const STEADY_S = 120;

export interface LossScenario {
  readonly qos: 0 | 1;
  /** Swallowed on their way to the broker. */
  readonly up?: number;
  /** After the losses: actions of the stage `after`, as YAML list items. */
  readonly after?: readonly string[];
  /** Length of the stage `after`. */
  readonly afterFor?: string;
  readonly prepared?: (world: World) => void;
}

export function positions(count: number, first = 3): number[] {
  return Array.from({ length: count }, (_, index) => first + index * 2);
}

const shareOf = (total: number, device: number): number =>
  Math.floor(total / DEVICES) + (device < total % DEVICES ? 1 : 0);

const name = (device: number): string => `s-${String(device).padStart(2, "0")}`;

const drops = (total: number): string[] =>
  Array.from({ length: DEVICES }, (_, device) => {
    const listed = JSON.stringify(positions(shareOf(total, device)));
    return `{ at: 0s, inject: { fault: link.drop-publish, select: { things: [${name(device)}] }, detail: { direction: up, positions: ${listed} } } }`;
  });

const listOf = (actions: readonly string[]): string =>
  actions.length === 0 ? "" : `\n    actions:\n${actions.map((action) => `      - ${action}\n`).join("")}`;

const textOf = ({ qos, up = 0, after = [], afterFor = "20s" }: LossScenario): string => `
version: 1
name: exactly
broker: { limits: { maxInflight: 65535, maxQueuedPerSession: 100000 } }
fleet:
  - group: sensors
    model: builtin:temperature-sensor
    count: ${DEVICES}
    thingName: "s-{index:02}"
    mqtt: { cleanStart: false, sessionExpiry: 1h }
    connect: { arrival: { spread: 0s } }
    reconnect: { policy: constant, base: 10s, cap: 10s }
    buffer: { capacity: 0 }
    telemetry:
      - { name: climate, every: ${EVERY_MS}ms, phase: random, topic: "t/{thingName}", qos: ${qos}, payload: { seq: "{seq}" } }
stages:
  - name: losses
    duration: ${STEADY_S}s${listOf(drops(up))}
  - name: after
    duration: ${afterFor}${listOf(after)}
  - { name: drain, duration: 5s }
expect:
  - telemetry.published >= 2400
`;

export type Counts = Readonly<
  Record<
    | "sent"
    | "acked"
    | "received"
    | "lost"
    | "unacked"
    | "acked_but_lost"
    | "retransmitted"
    | "duplicates"
    | "unexpected",
    number
  >
>;

/** Runs it and reads the delivery section of its record. */
export async function countsOf(scenario: LossScenario): Promise<Counts> {
  const { prepared } = scenario;
  const record: RunRecord = await runText(textOf(scenario), prepared === undefined ? {} : { prepared });
  const count = (part: string): number => metric(record, `delivery.${part}`) as number;
  return {
    sent: count("sent"),
    acked: count("acked"),
    received: count("received"),
    lost: count("lost"),
    unacked: count("unacked"),
    acked_but_lost: count("acked_but_lost"),
    retransmitted: count("retransmitted"),
    duplicates: count("duplicates"),
    unexpected: count("unexpected"),
  };
}
