import { type Clock, createSampler, type Random, type Sampler } from "fleetrig/kernel";
import type { ProtocolVersion, WireSize } from "fleetrig/protocol";
import type { LinkProfile } from "../plan.js";
import type { Direction, Passage, PassingPacket } from "./link-fault.js";
import type { LinkFaults } from "./link-faults.js";

/** Payload of one full TCP segment on Ethernet (1,500 bytes less headers and timestamps). */
const SEGMENT_BYTES = 1_448;
/** Linux: the retransmission timer never runs for less than this over the round trip. */
const RTO_MARGIN_US = 200_000;
/** After so many tries a segment counts as delivered, which bounds the delay under absurd loss. */
const RETRANSMISSIONS_MAX = 8;

/** What a passage does to one direction; each end of a link keeps these for what it sends. */
export interface DirectionState {
  /** When the last passage arrives: nothing overtakes it (TCP order). */
  lastArrivalUs: number;
  /** When the bytes accepted so far have left the sender. */
  busyUntilUs: number;
}

/** Whose way to the broker it is, and what lies on it. */
export interface LinkPathOptions {
  readonly clock: Clock;
  readonly profile: LinkProfile;
  readonly random: Random;
  readonly wireBytes: WireSize;
  readonly version: ProtocolVersion;
  readonly faults: LinkFaults;
}

/**
 * Timing of the way between one device and its broker, by the device's link profile and its active faults.
 *
 * A passage sent at `t` arrives at `max(previous arrival, d + latency + retransmissions)`, where
 * `d = max(t, previous d) + bits / rate` is the instant its last bit has left. Retransmissions follow TCP: a
 * packet of n segments loses each with the loss share; the k-th loss in a row costs `2^(k-1) RTO` with
 * `RTO = 2 x latency + 200 ms`; the segment that took longest decides, since the others wait for it.
 */
export class LinkPath {
  readonly clock: Clock;
  readonly faults: LinkFaults;
  readonly version: ProtocolVersion;
  readonly wireBytes: WireSize;
  readonly bitsPerSecond: number;
  private readonly latency: Sampler;
  /** Latency that needs no draw, or -1. */
  private readonly constantUs: number;
  private readonly loss: number;
  private readonly random: Random;

  constructor(options: LinkPathOptions) {
    const { latency, loss, bitsPerSecond } = options.profile;
    this.clock = options.clock;
    this.faults = options.faults;
    this.version = options.version;
    this.wireBytes = options.wireBytes;
    this.random = options.random;
    this.bitsPerSecond = bitsPerSecond;
    this.loss = loss;
    this.latency = createSampler(latency);
    this.constantUs = latency.dist === "constant" ? Math.max(0, Math.round(latency.value)) : -1;
  }

  /** One round trip without payload: how long a TCP handshake takes. */
  roundTripUs(): number {
    return this.handshakeLegUs("up") + this.handshakeLegUs("down");
  }

  /**
   * When a passage that is sent now arrives, or -1 when it never does. Advances `state`.
   * @param packet Undefined for the end of the stream, which takes no bytes, and for bytes that are no packet.
   */
  arrivalUs(
    state: DirectionState,
    direction: Direction,
    packet: PassingPacket | undefined,
    bytes: number,
  ): number {
    const nowUs = this.clock.nowUs();
    if (!this.faults.isActive && this.bitsPerSecond === 0 && this.loss === 0 && this.constantUs >= 0) {
      return this.inOrder(state, nowUs + this.constantUs);
    }
    const passage = this.passage(direction, packet, nowUs);
    if (passage.isSwallowed) return -1;
    let departUs = nowUs;
    if (passage.bitsPerSecond > 0 && bytes > 0) {
      departUs = Math.max(nowUs, state.busyUntilUs) + Math.ceil((bytes * 8e6) / passage.bitsPerSecond);
      state.busyUntilUs = departUs;
    }
    const transitUs = this.transitUs(passage, bytes);
    return this.inOrder(state, Math.max(departUs + transitUs, passage.notBeforeUs));
  }

  private inOrder(state: DirectionState, arrivalUs: number): number {
    if (arrivalUs > state.lastArrivalUs) state.lastArrivalUs = arrivalUs;
    return state.lastArrivalUs;
  }

  private handshakeLegUs(direction: Direction): number {
    const passage = this.passage(direction, undefined, this.clock.nowUs());
    return passage.isSwallowed ? 0 : this.transitUs(passage, 0);
  }

  private transitUs(passage: Passage, bytes: number): number {
    const latencyUs = this.latency(this.random) + passage.extraUs;
    if (passage.loss === 0) return latencyUs;
    const segments = Math.max(1, Math.ceil(bytes / SEGMENT_BYTES));
    let worst = 0;
    for (let segment = 0; segment < segments; segment += 1) {
      let losses = 0;
      while (losses < RETRANSMISSIONS_MAX && this.random.chance(passage.loss)) losses += 1;
      if (losses > worst) worst = losses;
    }
    return latencyUs + (2 ** worst - 1) * (2 * latencyUs + RTO_MARGIN_US);
  }

  private passage(direction: Direction, packet: PassingPacket | undefined, nowUs: number): Passage {
    const passage = PASSAGE;
    passage.direction = direction;
    passage.packet = packet;
    passage.nowUs = nowUs;
    passage.extraUs = 0;
    passage.bitsPerSecond = this.bitsPerSecond;
    passage.loss = this.loss;
    passage.notBeforeUs = 0;
    passage.isSwallowed = false;
    if (this.faults.isActive) this.faults.shape(passage);
    return passage;
  }
}

/** Scratch for the passage in hand: every path fills it anew, and nothing of one passage outlives the call. */
const PASSAGE: Passage = {
  direction: "up",
  packet: undefined,
  nowUs: 0,
  extraUs: 0,
  bitsPerSecond: 0,
  loss: 0,
  notBeforeUs: 0,
  isSwallowed: false,
};
