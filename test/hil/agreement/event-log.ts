import type { EventSink, RunEvent } from "fleetrig/kernel";

/** Members of an event that depend on the moment or on chance, not on behaviour. */
const OF_THE_MOMENT = new Set(["type", "thing", "atUs", "attempt", "connectUs"]);

/**
 * What members of the fleet did, as lines to compare: their `connection.*` and `device.*` events without times. How often a member tried
 * during an outage is drawn at random, so attempts that were refused leave no line.
 */
export class EventLog implements EventSink {
  private readonly lines = new Map<string, string[]>();

  emit(event: RunEvent): void {
    if (!/^(?:connection|device)\./.test(event.type) || !("thing" in event)) return;
    const log = this.lines.get(event.thing) ?? [];
    this.lines.set(event.thing, log);
    if (event.type === "connection.refused") {
      // The attempt that it answers.
      if (log.at(-1)?.startsWith("connection.attempt") === true) log.pop();
      return;
    }
    const particulars = Object.entries(event)
      .filter(([key, value]) => !OF_THE_MOMENT.has(key) && value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    log.push(`${event.type} ${JSON.stringify(Object.fromEntries(particulars))}`);
  }

  of(thing: string): readonly string[] {
    return this.lines.get(thing) ?? [];
  }
}
