import type { DeliveryProbe, EventSink, RunEvent } from "fleetrig/kernel";
import type { Labels } from "../expectations/expectation.js";
import { deliveryMetrics } from "../ledger/delivery-metrics.js";
import { Ledger, type StreamInfo, type ThingInfo } from "../ledger/ledger.js";
import { StageTimeline } from "../ledger/stage-timeline.js";
import { AccessTracker, type ControlPlaneParts } from "./access-tracker.js";
import { BacklogTracker } from "./backlog-tracker.js";
import { BoardTracker } from "./board-tracker.js";
import { BrokerTracker } from "./broker-tracker.js";
import { CloudReading } from "./cloud-reading.js";
import { ConnectionTracker } from "./connection-tracker.js";
import { FirmwareTracker } from "./firmware-tracker.js";
import { Gauge } from "./gauge.js";
import { JobTracker } from "./job-tracker.js";
import { MetricStore } from "./metric-store.js";
import { RuleTracker } from "./rule-tracker.js";
import { ShadowTracker, STABLE_US } from "./shadow-tracker.js";
import { StormTracker } from "./storm-tracker.js";
import { ThingDirectory } from "./thing-directory.js";

/** Everything one run is observed by: an event sink, a delivery probe, and the metrics that come of them. */
export interface ObservationOptions {
  /** In the order of the probe's indices. */
  readonly streams: readonly StreamInfo[];
  readonly things: readonly ThingInfo[];
  readonly rules?: readonly string[];
  /** The run's clock. */
  readonly nowUs: () => number;
  /** How long an update must stay converged. Default 1 s. */
  readonly stableUs?: number;
  /** Silence after a reboot that counts as a lost device. Default 5 min. */
  readonly silentAfterUs?: number;
  /** Default: no part of it. */
  readonly controlPlane?: ControlPlaneParts;
}

const SILENT_AFTER_US = 300_000_000;

/** Gauges whose samples the runner brings: see `Observation.sample`. */
export const SAMPLED_GAUGES = [
  "broker.connect_queue",
  "broker.queued",
  "generator.skipped",
  "process.rss",
  "event_loop.utilisation",
  "job.prevented",
] as const;
/** One of `SAMPLED_GAUGES`. */
export type SampledGauge = (typeof SAMPLED_GAUGES)[number];

/** An observation of a run that has not begun. */
export const createObservation = (options: ObservationOptions): Observation => new Observation(options);

/** Everything that is measured in one run: it hears the events and answers for the metrics. */
export class Observation implements EventSink {
  readonly stages = new StageTimeline();
  readonly directory: ThingDirectory;
  readonly ledger: Ledger;
  readonly store: MetricStore;
  readonly connections: ConnectionTracker;
  readonly storms: StormTracker;
  readonly shadows: ShadowTracker;
  readonly jobs: JobTracker;
  readonly rules: RuleTracker;
  readonly boards: BoardTracker;
  /** What is read from the cloud when somebody asks. */
  readonly cloud = new CloudReading();
  private readonly gauges = new Map<string, Gauge>(SAMPLED_GAUGES.map((name) => [name, new Gauge()]));
  private readonly trackers: readonly { on(event: RunEvent): void }[];

  constructor(options: ObservationOptions) {
    const { streams, things, nowUs, rules = [] } = options;
    const { stages } = this;
    this.directory = new ThingDirectory(things);
    const context = {
      directory: this.directory,
      stages,
      nowUs,
      groupsOfStream: (stream: string) =>
        streams.filter(({ name }) => name === stream).map(({ group }) => group),
    };
    this.ledger = new Ledger({ streams, things, stages, rememberedPerSlot: rules.length > 0 ? 16 : 0 });
    this.connections = new ConnectionTracker(context);
    this.storms = new StormTracker(context);
    this.shadows = new ShadowTracker(context, options.stableUs ?? STABLE_US);
    this.rules = new RuleTracker({ rules, stages, nowUs });
    this.boards = new BoardTracker(context);
    const firmware = new FirmwareTracker(this.directory);
    const broker = new BrokerTracker(context);
    const access = new AccessTracker(context, options.controlPlane ?? { access: false, provisioning: false });
    const backlog = new BacklogTracker(this.storms, this.ledger, this.directory);
    this.jobs = new JobTracker({
      nowUs,
      silentAfterUs: options.silentAfterUs ?? SILENT_AFTER_US,
      truth: {
        firmwareOf: (thing) => firmware.versionOf(thing),
        isOnline: (thing) => this.connections.isOnline(thing),
        heardUs: (thing) => this.ledger.heardUs(this.directory.indexOf(thing) ?? -1),
        hasTelemetry: (thing) => streams.some(({ group }) => group === this.directory.groupOf(thing)),
      },
    });
    this.ledger.onRuleOutput((rule, stage, latencyUs) => this.rules.output(rule, stage, latencyUs));
    const { connections, storms, shadows, jobs } = this;
    const trackers = [
      connections,
      storms,
      backlog,
      shadows,
      jobs,
      this.rules,
      firmware,
      broker,
      access,
      this.boards,
    ];
    this.trackers = trackers;
    this.store = new MetricStore(
      deliveryMetrics(this.ledger, nowUs),
      ...trackers.map((one) => one.metrics),
      this.cloud.metrics,
      Object.fromEntries([...this.gauges].map(([name, gauge]) => [name, gauge.source])),
    );
    this.store.setClockUncertainty((labels) => this.boards.clocks.worstUs(labels));
  }

  /** The harness tells each message's life to this. */
  get probe(): DeliveryProbe {
    return this.ledger;
  }

  emit(event: RunEvent): void {
    switch (event.type) {
      case "stage.started":
        this.stages.start(event.stage, event.atUs, event.measured);
        return;
      case "stage.ended":
        this.stages.end(event.atUs, event.timedOut);
        return;
      case "connection.open": {
        const thing = this.directory.indexOf(event.thing);
        if (thing !== undefined) this.ledger.connectionOpened(thing, event.atUs);
        break;
      }
      default:
    }
    for (let i = 0; i < this.trackers.length; i += 1) this.trackers[i]!.on(event);
  }

  /** One sample of a gauge that no event carries, in the unit of the catalogue. */
  sample(name: SampledGauge, value: number, labels: Labels = {}): void {
    this.gauges.get(name)?.sample(value, labels);
  }

  /** Ends the run: what has not arrived by now is lost. */
  settle(atUs: number): void {
    this.ledger.settle(atUs);
    // Curves reach to the end, also where nothing happened any more.
    this.ledger.curves.bins.at(atUs);
    this.connections.bins.at(atUs);
  }
}
