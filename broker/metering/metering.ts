import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { BrokerHooks, ConnectedInfo, DisconnectedInfo, MqttBroker } from "../engine/index.js";
import type { MeterName } from "./prices.js";

/** How often each meter has turned. */
export type MeterReading = Readonly<Record<MeterName, number>>;

/** Meters that services turn themselves. */
export type ServiceMeter = Exclude<MeterName, "connectionMinutes" | "messages">;

export interface MeteringOptions {
  readonly clock: Clock;
  readonly broker: MqttBroker;
}

const US_PER_MINUTE = 60 * US_PER_S;

/**
 * What a run would have cost on AWS, in units (REF §17). Messages are what the broker counted: CONNECT, publishes of
 * clients, every copy that was delivered, SUBSCRIBE, PUBACK of clients, and what was stored, retained or queued. Not
 * metered are pings, DISCONNECT and what the service acknowledges.
 */
export class Metering implements Pick<BrokerHooks, "connected" | "disconnected"> {
  private readonly turned: Record<ServiceMeter, number> = {
    rulesTriggered: 0,
    ruleActions: 0,
    shadowOperations: 0,
    registryOperations: 0,
    jobExecutions: 0,
    indexQueries: 0,
  };
  private connections = 0;
  /** Ends minus beginnings: with so many connections open, their time so far is this plus `connections` times now. */
  private connectedUs = 0;

  constructor(private readonly options: MeteringOptions) {}

  connected({ atUs }: ConnectedInfo): void {
    this.connections += 1;
    this.connectedUs -= atUs;
  }

  disconnected({ atUs }: DisconnectedInfo): void {
    this.connections -= 1;
    this.connectedUs += atUs;
  }

  turn(meter: ServiceMeter, units = 1): void {
    this.turned[meter] += units;
  }

  reading(): MeterReading {
    const { counters } = this.options.broker;
    const { connect, subscribe, puback } = counters.packetsReceived;
    const stored = counters.queuedUnits + counters.retainedUnits;
    const connectedUs = this.connectedUs + this.connections * this.options.clock.nowUs();
    return {
      ...this.turned,
      connectionMinutes: connectedUs / US_PER_MINUTE,
      messages: connect + subscribe + puback + counters.publishedUnits + counters.deliveredUnits + stored,
    };
  }
}
