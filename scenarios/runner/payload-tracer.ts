import { formatTraceTag, isJsonObject, type JsonParse } from "fleetrig/kernel";
import { compileText, type MemberPlan } from "fleetrig/sim";
import type { FleetGroup } from "../scenario.js";
import { traceFieldOf } from "../trace-field.js";

/** What one topic of an MQTT 3.1.1 device stands for. */
interface TracedTopic {
  readonly stream: number;
  readonly thing: number;
  readonly field: string;
}

/**
 * Knows the messages of MQTT 3.1.1 devices, which carry no trace tag, by topic and sequence number in the
 * payload. A topic of two streams or two things identifies neither.
 */
export class PayloadTracer {
  private readonly topics = new Map<string, TracedTopic | undefined>();
  private readonly shared = new Set<number>();

  /** @param members With the topics that the template renders to for each of them. */
  add(stream: number, spec: FleetGroup["telemetry"][number], members: readonly MemberPlan[]): void {
    const field = traceFieldOf(spec);
    if (field === undefined) return;
    const first = members[0];
    const template = compileText(spec.topic, {
      signals: [],
      attributes: Object.keys(first?.attributes ?? {}),
      identity: [],
    });
    for (const member of members) {
      const topic = template.render({
        thingName: member.name,
        index: member.index,
        attributes: member.attributes,
        sequence: 0,
        nowMs: 0,
        state: () => undefined,
        identity: () => "",
      });
      if (this.topics.has(topic)) {
        this.shared.add(stream);
        const other = this.topics.get(topic);
        if (other !== undefined) this.shared.add(other.stream);
        this.topics.set(topic, undefined);
      } else this.topics.set(topic, { stream, thing: member.ordinal, field });
    }
  }

  /** Streams with a topic that does not tell who sent a message. */
  get ambiguous(): ReadonlySet<number> {
    return this.shared;
  }

  /** The trace tag that the message would carry if MQTT 3.1.1 could; undefined for everybody else's. */
  tagOf(run: string, topic: string, json: () => JsonParse): string | undefined {
    const traced = this.topics.get(topic);
    if (traced === undefined || this.shared.has(traced.stream)) return undefined;
    const parsed = json();
    if (!parsed.ok || !isJsonObject(parsed.value) || !Object.hasOwn(parsed.value, traced.field))
      return undefined;
    const sequence = parsed.value[traced.field];
    if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) return undefined;
    return formatTraceTag(run, traced.stream, traced.thing, sequence as number);
  }
}
