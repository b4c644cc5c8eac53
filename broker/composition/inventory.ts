import { createRegistryEvents, type EventConfigurations } from "../events/index.js";
import { createCloudIndexing, type FleetIndexing, FleetMetrics } from "../fleet-index/index.js";
import { createRegistry, type Registry } from "../registry/index.js";
import type { ShadowService } from "../shadow/index.js";
import type { CloudGround } from "./ground.js";

/** What there is: things and groups, the events about them, and the index over them. */
export class Inventory {
  readonly registry: Registry;
  readonly eventConfigurations: EventConfigurations;
  readonly indexing: FleetIndexing;
  readonly fleetMetrics: FleetMetrics;

  /** @param shadows Asked for later: shadows tell the index what has changed, and so come after it. */
  constructor(ground: CloudGround, shadows: () => ShadowService) {
    const { clock, random, records, account, tags, broker, connections, metering, options } = ground;
    const registry = createRegistry({ clock, random, account, records, tags });
    this.registry = registry;
    const enabled = options.enabledEvents ?? [];
    this.eventConfigurations = createRegistryEvents({
      clock,
      random,
      records,
      bus: broker,
      account,
      registry,
      enabled,
    });
    this.indexing = createCloudIndexing({
      clock,
      records,
      broker,
      registry,
      connections,
      shadows,
      limits: options.indexing,
      meter: () => metering.turn("indexQueries"),
    });
    this.fleetMetrics = new FleetMetrics({ clock, records, indexing: this.indexing });
    tags.taggable("fleetmetric", (name) => this.fleetMetrics.has(name));
  }

  stop(): void {
    this.indexing.stop();
    this.fleetMetrics.stop();
  }
}
