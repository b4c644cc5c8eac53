import type { ApplicationMessage } from "fleetrig/broker";
import {
  type DeliveryProbe,
  type EventSink,
  type HostProbe,
  parseTraceTag,
  type RunEvent,
  teeSink,
  US_PER_S,
} from "fleetrig/kernel";
import {
  assessTrust,
  conditionHolds,
  type CostRecord,
  createObservation,
  type Expectation,
  type Observation,
  type Trust,
} from "fleetrig/reports";
import { createRuleOracle, type RuleOracle } from "../oracle/rule-oracle.js";
import type { Scenario } from "../scenario.js";
import { Absence } from "./absence.js";
import { BoardProbe } from "./board-probe.js";
import { costRecord, readCloud } from "./cloud-reader.js";
import type { PlannedFleet } from "./fleet-plan.js";
import { LogWaits } from "./log-waits.js";
import type { World } from "./world.js";

/** A disturbance of the run, as the report lists it. */
export type Disturbance = Extract<RunEvent, { type: "action.started" | "fault.injected" }>;

/** How often gauges of the broker are read, in the run's time. */
const GAUGES_EVERY_US = US_PER_S;
/** A device is silent when it misses three reports and the longest wait between two attempts to connect. */
const MISSED_REPORTS = 3;
const SILENT_AFTER_MIN_US = 300 * US_PER_S;

export interface MeasurementOptions {
  readonly scenario: Scenario;
  readonly planned: PlannedFleet;
  readonly host: HostProbe;
  /** Things that are boards. */
  readonly boards?: { has(thing: string): boolean } | undefined;
}

/** Everything that watches one run: ledger and trackers, the rules' oracle, gauges of broker and host. */
export class Measurement {
  readonly observation: Observation;
  readonly events: EventSink;
  readonly probe: DeliveryProbe;
  /** In the order in which they happened. */
  readonly disturbances: Disturbance[] = [];
  readonly logWaits = new LogWaits();
  private readonly oracles: readonly RuleOracle[];
  private readonly boardProbe: BoardProbe | undefined;
  private world: World | undefined;

  constructor(private readonly options: MeasurementOptions) {
    const { scenario, planned } = options;
    this.observation = createObservation({
      streams: planned.streams.map(({ untraced, ...stream }) => ({
        ...stream,
        observed: untraced === undefined,
        ...(untraced !== undefined && { unobservedBecause: untraced }),
      })),
      things: planned.things,
      rules: scenario.rules.map(({ name }) => name),
      nowUs: () => this.world?.time.nowUs() ?? 0,
      silentAfterUs: silentAfterUs(scenario),
      controlPlane: {
        access: scenario.controlPlane.isEnforced,
        provisioning: scenario.fleet.some(({ identity }) => identity?.claim !== undefined),
      },
    });
    const { boards } = options;
    this.observation.store.setAbsence(new Absence({ scenario, planned, boards }));
    this.boardProbe =
      boards &&
      new BoardProbe(this.observation.probe, (thing) => boards.has(planned.things[thing]?.name ?? ""));
    this.probe = this.boardProbe ?? this.observation.probe;
    this.events = teeSink(this.observation, { emit: (event) => this.note(event) });
    this.oracles = scenario.services.rules
      ? scenario.rules
          .filter(({ ruleDisabled }) => !ruleDisabled)
          .map(({ name, sql }) => createRuleOracle(name, sql))
      : [];
  }

  get online(): number {
    const measure = this.observation.store.measure("connections.online", {});
    return measure.kind === "share" ? measure.count : 0;
  }

  get published(): number {
    return this.observation.ledger.cells.reduce((sum, cell) => sum + cell.sent, 0);
  }

  /** Begins to read what no event carries. */
  attach(world: World): void {
    this.world = world;
    const { broker } = world.cloud ?? {};
    if (broker === undefined) return;
    this.observation.cloud.attach(readCloud(world.cloud!, this.options.scenario));
    if (this.oracles.length > 0) {
      broker.addHooks({
        message: (message) => {
          this.consultOracles(message);
          return "broker";
        },
        listensTo: () => false,
      });
    }
    const read = (): void => {
      const { connectQueue, queuedMessages } = broker.statistics();
      this.observation.sample("broker.connect_queue", connectQueue);
      this.observation.sample("broker.queued", queuedMessages);
      world.harness.after(GAUGES_EVERY_US, read);
    };
    read();
  }

  /** Undefined where nobody meters. */
  get cost(): CostRecord | undefined {
    const { cloud } = this.world ?? {};
    return cloud && costRecord(cloud);
  }

  sampleHost(): void {
    this.observation.sample("process.rss", this.options.host.sampleRss());
    this.observation.sample("event_loop.utilisation", this.options.host.utilisation());
  }

  /** Does an `until` condition, or one that aborts the run, hold now? */
  holds(condition: Expectation): boolean {
    return conditionHolds(condition, this.observation.store);
  }

  /** Whether times measured so far mean anything. */
  trust(clock: Scenario["clock"]): Trust {
    const lag = this.observation.store.query("generator.schedule_lag", {}, { name: "p", percentile: 99 });
    return assessTrust({
      clock,
      scheduleLagP99Us: lag.kind === "value" ? Number(lag.value) : undefined,
      // The host's load means nothing to virtual time, and may not be read inside it.
      eventLoopUtilisation: clock === "real" ? this.options.host.utilisation() : undefined,
    });
  }

  /** Ends the measurement: what has not arrived by now is lost. */
  settle(atUs: number): void {
    this.boardProbe?.settle();
    this.observation.settle(atUs);
  }

  /** Ground truth is what the broker accepted: a message lost before it could not have fired a rule. */
  private consultOracles(message: ApplicationMessage): void {
    const tag = parseTraceTag(this.world?.traceOf(message) ?? "");
    if (tag === undefined || message.publisher === undefined) return;
    const json = message.json();
    if (!json.ok) return;
    for (const oracle of this.oracles) {
      if (oracle.shouldFire(message.topic, json.value)) {
        this.observation.rules.should(oracle.rule, tag.stream, tag.thing, tag.sequence);
      }
    }
  }

  private note(event: RunEvent): void {
    if (event.type === "action.started" || event.type === "fault.injected") this.disturbances.push(event);
    this.logWaits.note(event);
  }
}

function silentAfterUs(scenario: Scenario): number {
  const perGroup = scenario.fleet.map(({ telemetry, reconnect }) => {
    const slowest = Math.max(0, ...telemetry.map(({ everyUs }) => everyUs));
    return MISSED_REPORTS * slowest + reconnect.capUs;
  });
  return Math.max(SILENT_AFTER_MIN_US, ...perGroup);
}
