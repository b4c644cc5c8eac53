import { atHostTurnEnd, type Clock, type EventSink, type FleetrigError, hostNowUs } from "fleetrig/kernel";
import { DurableJournal, type LoadSummary, type RecordShelf } from "../durable/index.js";
import type { MqttBroker } from "../engine/index.js";
import type { StoreReading } from "../observe/index.js";
import type { Damage, Durability, OpenedStore } from "../store/index.js";

export interface ServerStorageOptions {
  readonly opened: OpenedStore;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** The data directory of a server: brings its state back, writes it down, and knows how that goes. */
export class ServerStorage {
  readonly journal: DurableJournal;
  private readonly options: ServerStorageOptions;
  private found: readonly Damage[];
  private failure: FleetrigError | undefined;

  constructor(options: ServerStorageOptions) {
    const { opened, clock, events } = options;
    this.options = options;
    this.found = opened.damage;
    this.journal = new DurableJournal({
      store: opened.store,
      clock,
      schedule: atHostTurnEnd,
      failed: (error) => {
        this.failure = error;
        events.emit({ type: "store.failed", atUs: clock.nowUs(), reason: error.sentence });
      },
    });
  }

  get durability(): Durability {
    return this.options.opened.store.durability;
  }

  /** Everything that was stored and could not be read back, at this start. */
  get damage(): readonly Damage[] {
    return this.found;
  }

  /** Puts what is stored into the broker, which nobody may be connected to yet, and into its services. */
  async recover(broker: MqttBroker, shelf?: RecordShelf): Promise<LoadSummary> {
    const { opened, clock, events } = this.options;
    const beganUs = hostNowUs();
    const summary = await this.journal.recover(broker.restoration(), shelf);
    if (summary.damage.length > 0) opened.record(summary.damage);
    this.found = [...opened.damage, ...summary.damage];
    const atUs = clock.nowUs();
    for (const { where, what } of this.found) events.emit({ type: "store.damaged", atUs, where, what });
    const { sessions, messages, retained, records } = summary;
    const tookMs = (hostNowUs() - beganUs) / 1_000;
    const { durability } = this;
    events.emit({ type: "store.opened", atUs, durability, sessions, messages, retained, records, tookMs });
    return summary;
  }

  reading(): StoreReading {
    const { journal, failure, found } = this;
    const state = failure !== undefined ? "failed" : found.length > 0 ? "damaged" : "ok";
    return { ...journal.statistics(), state, detail: failure?.sentence ?? describe(found) };
  }

  close(): Promise<void> {
    return this.journal.close();
  }
}

const describe = (damage: readonly Damage[]): string => {
  const [first] = damage;
  if (first === undefined) return "";
  const others = damage.length > 1 ? ` and ${damage.length - 1} more; see DAMAGE.log` : "";
  return `${first.where}: ${first.what}${others}`;
};
