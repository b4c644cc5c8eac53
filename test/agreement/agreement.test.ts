import type { ShadowResult } from "fleetrig/broker";
import type { DeliveryProbe } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import { beforeAll, describe, expect, it } from "vitest";
import type { World } from "../../scenarios/runner/world.js";
import { metric, runTextOf } from "../determinism/run-text.js";

const scenario = "test/agreement/both-worlds.yaml";

/** What happened, without when: sets of `stream/thing/sequence`. */
class Witness implements DeliveryProbe {
  readonly published = new Set<string>();
  readonly acknowledged = new Set<string>();
  readonly given = new Set<string>();
  readonly delivered = new Set<string>();
  readonly outputs = new Set<string>();

  sent(...message: number[]): void {
    this.published.add(message.slice(0, 3).join("/"));
  }
  acked(...message: number[]): void {
    this.acknowledged.add(message.slice(0, 3).join("/"));
  }
  retransmitted(): void {
    // Whether an acknowledgement was still on its way when a link broke is a matter of timing.
  }
  discarded(...message: number[]): void {
    this.given.add(message.slice(0, 3).join("/"));
  }
  received(stream: number, thing: number, sequence: number): void {
    this.delivered.add(`${stream}/${thing}/${sequence}`);
  }
  ruleOutput(rule: string, stream: number, thing: number, sequence: number): void {
    this.outputs.add(`${rule}:${stream}/${thing}/${sequence}`);
  }
}

interface Outcome {
  readonly record: RunRecord;
  readonly witness: Witness;
  readonly shadows: unknown;
}

async function outcomeIn(clock: "virtual" | "real"): Promise<Outcome> {
  const witness = new Witness();
  let world: World | undefined;
  const record = await runTextOf(scenario, { clock, witness, prepared: (prepared) => (world = prepared) });
  const shadows = world!.fleet.groups
    .get("valves")!
    .map(({ name }) => documentOf(world!.cloud!.shadows.get({ thing: name, shadowName: "config" })));
  return { record, witness, shadows };
}

/** Without timestamps, and without the version: a device may report once or twice when it comes back. */
const documentOf = (answer: ShadowResult): unknown => (answer.ok ? answer.body()["state"] : answer);

const sorted = (set: ReadonlySet<string>): string[] => [...set].sort();

describe("in memory and over TCP (realtime), one scenario", () => {
  let memory: Outcome;
  let sockets: Outcome;

  beforeAll(async () => {
    memory = await outcomeIn("virtual");
    sockets = await outcomeIn("real");
  });

  it("passes in both", () => {
    expect(memory.record.verdict).toBe("passed");
    expect(sockets.record.verdict).toBe("passed");
  });

  it.each(["published", "acknowledged", "given", "delivered", "outputs"] as const)(
    "has the same set of messages: %s",
    (step) => {
      expect(sorted(sockets.witness[step])).toEqual(sorted(memory.witness[step]));
    },
  );

  it("is not an empty comparison", () => {
    const { published, delivered, outputs } = memory.witness;
    expect(published.size).toBeGreaterThan(150);
    expect(delivered.size).toBeGreaterThan(150);
    expect(new Set([...outputs].map((output) => output.split(":")[0]))).toEqual(
      new Set(["some", "upstairs"]),
    );
  });

  it("leaves the same shadow documents", () => {
    expect(sockets.shadows).toEqual(memory.shadows);
    const settled = { setpoint: 23, mode: "eco" };
    expect(memory.shadows).toEqual(
      Array.from({ length: 4 }, () => ({ desired: settled, reported: settled })),
    );
  });

  it.each([
    "connections.lost",
    "delivery.sent",
    "delivery.received",
    "delivery.lost",
    "rules.fired",
    "rules.recall",
    "rules.precision",
    "shadow.converged",
    "shadow.rejected",
  ])("reports the same %s", (name) => {
    expect(metric(sockets.record, name)).toEqual(metric(memory.record, name));
  });
});
