import { teeSink } from "fleetrig/kernel";
import { DeviceManagement } from "../device-management.js";
import { meteredEvents } from "../metering/index.js";
import { RuleDirectory, RuleEngine } from "../rules/index.js";
import { ShadowService } from "../shadow/index.js";
import type { CloudGround } from "./ground.js";
import type { Inventory } from "./inventory.js";

/** What devices work with day by day: shadows, jobs and their files, and rules over what they publish. */
export class DeviceServices {
  readonly shadows: ShadowService;
  /** Jobs, commands, streams and updates, and their files. */
  readonly management: DeviceManagement;
  readonly rules: RuleEngine;
  /** Rules by name, as operators keep them. */
  readonly ruleDirectory: RuleDirectory;

  constructor(ground: CloudGround, { registry, indexing, eventConfigurations }: Inventory) {
    const { clock, random, records, account, broker: bus, events, tags, metering, options } = ground;
    this.shadows = new ShadowService({
      clock,
      bus,
      events,
      records,
      meter: (units) => metering.turn("shadowOperations", units),
      changed: ({ thing, shadowName }) => indexing.shadowChanged(thing, shadowName),
    });
    this.management = new DeviceManagement({
      ...options.management,
      clock,
      random,
      records,
      account,
      hasThing: (thingName) => registry.hasThing(thingName),
      tags,
      jobs: {
        bus,
        events: teeSink(events, meteredEvents(metering)),
        registry,
        eventConfigurations,
        settings: { arnPrefix: account.arnPrefix, ...options.jobs },
      },
    });
    this.rules = new RuleEngine({
      clock,
      bus,
      events,
      meter: (actions) => {
        metering.turn("rulesTriggered");
        metering.turn("ruleActions", actions);
      },
      random: random.stream("rules"),
      ...(options.traceOf !== undefined && { traceOf: options.traceOf }),
      accountId: account.accountId,
    });
    this.ruleDirectory = new RuleDirectory({ clock, engine: this.rules, records });
    tags.taggable("rule", (name) => this.ruleDirectory.has(name));
  }

  stop(): void {
    this.management.stop();
  }
}
