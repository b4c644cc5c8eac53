import type { Clock, DeliveryProbe, EventSink } from "fleetrig/kernel";
import type { Dialer } from "fleetrig/protocol";
import type { FaultSwitch, FleetMember, GroupPlan, MemberPlan } from "fleetrig/sim";

/**
 * The bench: all boards that a run may use, real and virtual. A run *claims* boards for members of its fleet, works with them,
 * and gives them back. Which board hangs where is the bench's business; a scenario says what it needs.
 */
export interface Bench {
  /**
   * Finds a board for each request, leases it, opens it and brings it to hello. Nothing is taken twice, and requests that name a board
   * exactly choose first. Those that get none are told why; it never rejects for a missing board.
   */
  claim(requests: readonly BoardRequest[]): Promise<readonly BoardClaim[]>;
  /** Makes the fleet member that a claimed board is. */
  member(board: ClaimedBoard, options: BoardMemberOptions): FleetMember;
  /**
   * The firmware image of a version that boards of this run can start, for jobs to install: from the bench file, or the reference
   * firmware under that version for virtual boards. Undefined when there is none.
   */
  image(version: string): Promise<Uint8Array | undefined>;
  /** The run is over: hears a last time what every board counts, within a second. Never rejects. */
  settle(): Promise<void>;
  /** Gives every board back, in the state in which the next one finds it; ends virtual boards and port processes. */
  close(): Promise<void>;
}

/** A wish for one board. */
export interface BoardRequest {
  /** Thing that it will be. */
  readonly thing: string;
  readonly select: BoardSelector;
  /** How it reaches the broker: through the bench, or by its own network. */
  readonly path: "bridge" | "direct";
  /** What speaks on its line: our link, plain lines by a profile, or MicroPython. */
  readonly profile: string;
}

/** All members that are given must fit. */
export interface BoardSelector {
  /** Port address or glob: `/dev/ttyUSB0`, `tcp://10.0.0.7:3333`. */
  readonly port?: string;
  /** 12 lower-case hexadecimal digits. */
  readonly mac?: string;
  readonly chip?: string;
  readonly tags?: readonly string[];
  /** A board that the bench makes for this run. */
  readonly virtual?: VirtualBoardKind;
}

export const VIRTUAL_BOARD_KINDS = ["rv32", "native", "micropython"] as const;
/** `rv32`: firmware on QEMU's RISC-V; `native`: the same as a process; `micropython`: the script on MicroPython. */
export type VirtualBoardKind = (typeof VIRTUAL_BOARD_KINDS)[number];

export type BoardClaim =
  | { readonly thing: string; readonly board: ClaimedBoard }
  | { readonly thing: string; readonly board: undefined; readonly reason: string };

/** A board of the run, at hello. */
export interface ClaimedBoard {
  readonly thing: string;
  readonly path: "bridge" | "direct";
  readonly chip: string;
  readonly mac: string;
  readonly port: string;
  readonly version: string;
  readonly capabilities: readonly string[];
}

/** What makes a board a member of the fleet. */
export interface BoardMemberOptions {
  readonly plan: MemberPlan;
  readonly group: GroupPlan;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly probe: DeliveryProbe;
  /** Name of the run, for trace tags. */
  readonly run: string;
  /** For the board's own choices. */
  readonly seed: number;
  /** Path `bridge`: the way to the broker that a virtual device in its place would have, faults included. */
  readonly dialer: Dialer;
  readonly faults: FaultSwitch;
  /** Path `direct`: where and as whom the board connects. */
  readonly door?: BoardDoor;
}

/** The broker as a board's own network sees it. */
export interface BoardDoor {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls?: {
    readonly serverName: string;
    readonly caPem: string;
    readonly certificatePem?: string;
    readonly keyPem?: string;
    /**
     * Certificate and key of the broker itself. With them, and those of the board, the proxy in front of it can look into packets; without
     * them it has only those faults that need no more than bytes.
     */
    readonly server?: { readonly certificatePem: string; readonly keyPem: string };
  };
}
