import {
  type Clock,
  createRandomSource,
  type EventSink,
  hostSeed,
  LANE,
  type RandomSource,
  RealTime,
  silentSink,
  type TimeSource,
} from "fleetrig/kernel";
import { Account } from "../account.js";
import type { CloudOptions } from "../cloud-options.js";
import { ConnectionDirectory } from "../connections/index.js";
import { MqttBroker } from "../engine/index.js";
import { Metering } from "../metering/index.js";
import { RecordBook } from "../records/index.js";
import { Tags } from "../registry/index.js";

/** What all services of a cloud stand on: time, randomness, what is written down, and the broker. */
export class CloudGround {
  readonly time: TimeSource;
  /** Of the services. */
  readonly clock: Clock;
  readonly brokerClock: Clock;
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly account: Account;
  readonly records: RecordBook;
  readonly tags: Tags;
  readonly broker: MqttBroker;
  readonly connections: ConnectionDirectory;
  readonly metering: Metering;
  private readonly ownTime: RealTime | undefined;

  constructor(readonly options: CloudOptions) {
    const { limits, sessionJournal, profile = "aws" } = options;
    this.ownTime = options.time === undefined ? new RealTime() : undefined;
    this.time = options.time ?? this.ownTime!;
    this.clock = this.time.lane(LANE.services);
    this.brokerClock = this.time.lane(LANE.broker);
    // Serial numbers and secrets must not come again after a restart; a virtual cloud has to.
    this.random = options.random ?? createRandomSource(this.ownTime === undefined ? 1 : hostSeed());
    this.events = options.events ?? silentSink;
    this.account = new Account(options.account);
    this.records = new RecordBook(options.journal);
    this.tags = new Tags({ records: this.records });
    const clock = this.brokerClock;
    this.broker = new MqttBroker({
      clock,
      random: this.random.stream("broker"),
      events: this.events,
      profile,
      ...(limits !== undefined && { limits }),
      ...(sessionJournal !== undefined && { journal: sessionJournal }),
    });
    this.connections = new ConnectionDirectory({ clock, broker: this.broker });
    this.metering = new Metering({ clock, broker: this.broker });
    this.broker.addHooks(this.connections);
    this.broker.addHooks(this.metering);
  }

  stop(): void {
    this.ownTime?.stop();
  }
}
