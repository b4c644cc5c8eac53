import type { DeliveryProbe } from "fleetrig/kernel";
import { Cell } from "./cell.js";
import { DeliveryCurves } from "./delivery-curves.js";
import { ACKED, MessageTable, RECEIVED } from "./message-table.js";
import { SentTimes } from "./sent-times.js";
import { SequenceRanges } from "./sequence-ranges.js";
import { SequenceStages } from "./sequence-stages.js";
import type { StageTimeline } from "./stage-timeline.js";
import { Staleness } from "./staleness.js";

/**
 * The ledger: what became of every message of the run.
 *
 * A *slot* is one stream of one thing; its messages carry sequence numbers 0, 1, 2 … A message is *expected*
 * when the observer's subscription covers it and it was sent (qos 0) or acknowledged without refusal (qos 1
 * and 2). It is *settled* when nothing more is owed: received, and acknowledged if its qos asks for that. Only
 * unsettled messages take memory; the rest are counters per stream and stage (`Cell`), with histograms.
 */
export interface StreamInfo {
  readonly name: string;
  readonly group: string;
  readonly qos: 0 | 1 | 2;
  /** Whether the observer subscribes to the stream; without it there is no loss and no latency to measure. */
  readonly observed: boolean;
  /** For people, when it is not observed. */
  readonly unobservedBecause?: string;
}

/** A thing by its place in the probe's indices. */
export interface ThingInfo {
  readonly name: string;
  readonly group: string;
}

/** Whose messages are followed, and how closely. */
export interface LedgerOptions {
  /** In the order of the probe's indices. */
  readonly streams: readonly StreamInfo[];
  readonly things: readonly ThingInfo[];
  readonly stages: StageTimeline;
  /** Sent messages per slot whose times are kept for `ruleOutput`; 0 where there are no rules. Default 16. */
  readonly rememberedPerSlot?: number;
  /** How often the age of each thing's newest sample is looked at; 0: never. Default 1 s. */
  readonly stalenessEveryUs?: number;
}

/** A ledger in which nothing has been sent yet. */
export const createLedger = (options: LedgerOptions): Ledger => new Ledger(options);

/** Reason codes of PUBACK [MQTT-3.4.2.1]. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
const FIRST_FAILURE = 0x80;

type RuleOutputListener = (rule: string, stage: number, latencyUs: number | undefined) => void;

/** The probe that keeps the books, and what its books say. */
export class Ledger implements DeliveryProbe {
  readonly streams: readonly StreamInfo[];
  readonly things: readonly ThingInfo[];
  /** Groups in the order of their first thing. */
  readonly groups: readonly string[];
  readonly stages: StageTimeline;
  readonly curves = new DeliveryCurves();
  readonly staleness: Staleness;
  private readonly cellAt: Cell[] = [];
  private readonly table = new MessageTable();
  private readonly withdrawn = new SequenceRanges();
  private readonly sequenceStages: SequenceStages;
  private readonly sentTimes: SentTimes;
  private readonly slotBase: Int32Array;
  private readonly member: Int32Array;
  /** Per slot: highest sequence sent, plus one. */
  private readonly sentEnd: Int32Array;
  /** Per slot: highest sequence received, plus one (RFC 4737's NextExp). */
  private readonly nextExpected: Int32Array;
  private readonly onlineSinceUs: Float64Array;
  private readonly lastSentUs: Float64Array;
  private ruleOutputListener: RuleOutputListener = () => undefined;
  private hasEnded = false;
  private backlogBeforeUs = Number.NEGATIVE_INFINITY;
  private backlogThings = new Uint8Array(0);
  private lastBacklogUs: number | undefined;

  constructor(options: LedgerOptions) {
    this.streams = options.streams;
    this.things = options.things;
    this.stages = options.stages;
    const layout = layOutSlots(options.streams, options.things);
    this.slotBase = layout.slotBase;
    this.member = layout.member;
    this.sentEnd = new Int32Array(layout.slots);
    this.nextExpected = new Int32Array(layout.slots);
    this.sequenceStages = new SequenceStages(layout.slots);
    this.sentTimes = new SentTimes(layout.slots, options.rememberedPerSlot ?? 16);
    this.onlineSinceUs = new Float64Array(options.things.length).fill(Number.NEGATIVE_INFINITY);
    this.lastSentUs = new Float64Array(options.things.length).fill(Number.NEGATIVE_INFINITY);
    this.groups = [...new Set(options.things.map((thing) => thing.group))];
    const groupOf = Int32Array.from(options.things, (thing) => this.groups.indexOf(thing.group));
    this.staleness = new Staleness(groupOf, options.stages, options.stalenessEveryUs ?? 1_000_000);
  }

  sent(stream: number, thing: number, sequence: number, scheduledUs: number, sentUs: number): void {
    const slot = this.slotBase[stream]! + this.member[thing]!;
    const stage = this.stages.indexAt(scheduledUs);
    const cell = this.cell(stream, stage);
    this.sequenceStages.note(slot, sequence, stage);
    this.sentTimes.note(slot, sequence, scheduledUs);
    if (sequence >= this.sentEnd[slot]!) this.sentEnd[slot] = sequence + 1;
    this.lastSentUs[thing] = sentUs;
    this.curves.published.add(sentUs);
    cell.sent += 1;
    if (scheduledUs >= this.onlineSinceUs[thing]!) cell.scheduleLag.record(sentUs - scheduledUs);
    else cell.buffered += 1;
    const { qos, observed } = this.streams[stream]!;
    if (qos > 0 || observed) this.table.insert(slot, sequence, scheduledUs, sentUs);
  }

  acked(stream: number, thing: number, sequence: number, atUs: number, reasonCode: number): void {
    const slot = this.slotBase[stream]! + this.member[thing]!;
    const entry = this.table.find(slot, sequence);
    if (entry < 0 || this.table.has(entry, ACKED)) return;
    const scheduledUs = this.table.scheduledUs(entry);
    const cell = this.cell(stream, this.stages.indexAt(scheduledUs));
    this.curves.acked.add(atUs);
    if (reasonCode >= FIRST_FAILURE) {
      cell.refused += 1;
      cell.refusedByCode.set(reasonCode, (cell.refusedByCode.get(reasonCode) ?? 0) + 1);
      this.withdrawn.add(slot, sequence);
      this.table.remove(entry);
      return;
    }
    cell.acked += 1;
    if (reasonCode === NO_MATCHING_SUBSCRIBERS) cell.noSubscribers += 1;
    cell.ack.record(atUs - scheduledUs);
    const isReceived = this.table.has(entry, RECEIVED);
    if (isReceived) cell.expectedReceived += 1;
    if (isReceived || !this.streams[stream]!.observed) this.table.remove(entry);
    else this.table.mark(entry, ACKED);
  }

  received(stream: number, thing: number, sequence: number, atUs: number, isDuplicateFlagged: boolean): void {
    const slot = this.slotBase[stream]! + this.member[thing]!;
    const { qos, observed } = this.streams[stream]!;
    const entry = this.table.find(slot, sequence);
    if (!observed || entry < 0 || this.table.has(entry, RECEIVED)) {
      this.receivedAgain(stream, slot, sequence, isDuplicateFlagged);
      return;
    }
    const scheduledUs = this.table.scheduledUs(entry);
    const cell = this.cell(stream, this.stages.indexAt(scheduledUs));
    const e2eUs = atUs - scheduledUs;
    cell.received += 1;
    cell.e2e.record(e2eUs);
    cell.service.record(atUs - this.table.sentUs(entry));
    this.curves.received.add(atUs);
    this.curves.e2e.record(scheduledUs, e2eUs);
    this.staleness.sample(thing, scheduledUs, atUs);
    if (sequence < this.nextExpected[slot]!) cell.reordered += 1;
    else this.nextExpected[slot] = sequence + 1;
    if (scheduledUs < this.backlogBeforeUs && qos > 0 && this.backlogThings[thing] === 1) {
      this.lastBacklogUs = atUs;
    }
    const isSettled = qos === 0 || this.table.has(entry, ACKED);
    if (isSettled) cell.expectedReceived += 1;
    if (isSettled) this.table.remove(entry);
    else this.table.mark(entry, RECEIVED);
  }

  /** A message nobody waits for: a duplicate if it was sent and not withdrawn, unexpected otherwise. */
  private receivedAgain(stream: number, slot: number, sequence: number, isDuplicateFlagged: boolean): void {
    const isKnown = sequence < this.sentEnd[slot]! && !this.withdrawn.has(slot, sequence);
    const stage = this.sequenceStages.of(slot, sequence) ?? this.stages.current;
    const cell = this.cell(stream, stage);
    if (!isKnown || !this.streams[stream]!.observed) cell.unexpected += 1;
    else if (isDuplicateFlagged) cell.duplicatesFlagged += 1;
    else cell.duplicatesUnflagged += 1;
  }

  retransmitted(stream: number, thing: number, sequence: number): void {
    const slot = this.slotBase[stream]! + this.member[thing]!;
    const stage = this.sequenceStages.of(slot, sequence) ?? this.stages.current;
    this.cell(stream, stage).retransmitted += 1;
  }

  discarded(stream: number, thing: number, sequence: number, scheduledUs: number): void {
    const slot = this.slotBase[stream]! + this.member[thing]!;
    this.cell(stream, this.stages.indexAt(scheduledUs)).discarded += 1;
    this.withdrawn.add(slot, sequence);
  }

  ruleOutput(rule: string, stream: number, thing: number, sequence: number, atUs: number): void {
    const slot = this.slotBase[stream]! + this.member[thing]!;
    const scheduledUs = this.scheduledUsOf(slot, sequence);
    const stage = this.stages.indexAt(scheduledUs ?? atUs);
    this.ruleOutputListener(rule, stage, scheduledUs === undefined ? undefined : atUs - scheduledUs);
  }

  private scheduledUsOf(slot: number, sequence: number): number | undefined {
    const remembered = this.sentTimes.scheduledUs(slot, sequence);
    if (remembered !== undefined) return remembered;
    const entry = this.table.find(slot, sequence);
    return entry < 0 ? undefined : this.table.scheduledUs(entry);
  }

  /** `latencyUs` is undefined when the trigger is too long ago for its time to be known. */
  onRuleOutput(listener: RuleOutputListener): void {
    this.ruleOutputListener = listener;
  }

  /** The thing is connected from now on; what was scheduled before waited for the connection. */
  connectionOpened(thing: number, atUs: number): void {
    this.onlineSinceUs[thing] = atUs;
  }

  /** The link of these things works again: from now on their older messages count as backlog. */
  linkRestored(things: readonly number[], atUs: number): void {
    this.backlogBeforeUs = atUs;
    this.backlogThings = new Uint8Array(this.things.length);
    for (const thing of things) this.backlogThings[thing] = 1;
    this.lastBacklogUs = undefined;
  }

  /** When the last message of the current backlog arrived so far. */
  get backlogArrivedUs(): number | undefined {
    return this.lastBacklogUs;
  }

  /** When the thing last sent a message; -Infinity if never. */
  heardUs(thing: number): number {
    return this.lastSentUs[thing] ?? Number.NEGATIVE_INFINITY;
  }

  /** Ends the run: what has not arrived by now is lost. */
  settle(atUs: number): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.staleness.finish(atUs);
  }

  get isSettled(): boolean {
    return this.hasEnded;
  }

  /** Messages that are not settled. */
  get outstanding(): number {
    return this.table.size;
  }

  /** Every cell with anything in it. */
  get cells(): readonly Cell[] {
    return this.cellAt.filter((cell) => cell !== undefined);
  }

  private cell(stream: number, stage: number): Cell {
    const at = stage * this.streams.length + stream;
    const cell = this.cellAt[at];
    if (cell !== undefined) return cell;
    const created = new Cell(stream, stage);
    this.cellAt[at] = created;
    return created;
  }
}

/** Slots lie stream by stream; within a stream by the thing's position in its group. */
function layOutSlots(
  streams: readonly StreamInfo[],
  things: readonly ThingInfo[],
): { slotBase: Int32Array; member: Int32Array; slots: number } {
  const sizes = new Map<string, number>();
  const member = Int32Array.from(things, ({ group }) => {
    const position = sizes.get(group) ?? 0;
    sizes.set(group, position + 1);
    return position;
  });
  let slots = 0;
  const slotBase = Int32Array.from(streams, ({ group }) => {
    const base = slots;
    slots += sizes.get(group) ?? 0;
    return base;
  });
  return { slotBase, member, slots };
}
