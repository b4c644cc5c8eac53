import { type Clock, type EventSink, FleetrigError, type RandomSource } from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import { Board } from "../board/board.js";
import type { BoardOutcome } from "../board/board-options.js";
import type { BoardHands, Patience } from "../board/board-parts.js";
import { BoardMember } from "../bridge/board-member.js";
import type { AttachedPort } from "../enumerate/attached-port.js";
import { resolveIdentity } from "../enumerate/board-identity.js";
import type { Hello } from "../link/hello.js";
import type { PortOpener } from "../port/port.js";
import type { BenchFileBoard } from "./bench-file.js";
import type { BenchLease, LeaseDesk } from "./bench-leases.js";
import type { BoardMemberOptions, BoardRequest, ClaimedBoard } from "./bench.js";
import { type BoardFacts, mismatch } from "./board-matching.js";
import type { PortDirectory } from "./port-directory.js";

/** One board of the bench for one member. */
export interface SeatOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly directory: PortDirectory;
  readonly opener: PortOpener;
  readonly leases?: LeaseDesk;
  readonly purpose?: string;
  readonly leasePatienceUs?: number;
  readonly request: BoardRequest;
  readonly port: AttachedPort;
  /** As far as it is known before it is asked. */
  readonly mac: string | undefined;
  readonly known: BenchFileBoard | undefined;
  readonly hands: BoardHands;
  readonly symbolsOf?: (
    known: BenchFileBoard | undefined,
    chip: string,
  ) => ((address: number) => string) | undefined;
  readonly patience?: Partial<Patience>;
  /** It is to say who it is, and nothing else. */
  readonly isOnlyAsking: boolean;
  /** What is known of it with its hello. */
  readonly factsOf: (hello: Hello) => BoardFacts;
}

/** Nobody waits long for a board that may be any. */
const ASKING: Partial<Patience> = {
  helloUs: 1_200_000,
  waitedUs: 100_000,
  reopenedUs: 500_000,
  absenceUs: 500_000,
};
const NEEDED = { bridge: "mqtt", direct: "direct" } as const;

/** A board with its leases, from its first hello until it is given back. */
export class BenchSeat {
  private readonly leases: BenchLease[] = [];
  private readonly keys = new Set<string>();
  private readonly board: Board;
  private readonly tracker: ReturnType<PortDirectory["track"]>;
  private settled: (outcome: BoardOutcome) => void = () => undefined;
  private chip = "";

  constructor(private readonly options: SeatOptions) {
    const { request, clock, random, events, directory, port, mac, known, hands, opener, patience } = options;
    const { isOnlyAsking } = options;
    // A board that was moved to another port meanwhile is still the one.
    const { port: _port, ...select } = request.select;
    this.tracker = directory.track(port, mac);
    const scope = `bench/${request.thing}`;
    this.board = new Board({
      thing: request.thing,
      clock,
      random: { seed: random.seed, stream: (name) => random.stream(`${scope}/${name}`) },
      events: isOnlyAsking ? { emit: () => undefined } : events,
      tracker: this.tracker,
      opener,
      hands,
      baud: known?.baud ?? 115_200,
      encoding: request.profile === "micropython" ? "line" : "cobs",
      patience: isOnlyAsking ? { ...patience, ...ASKING } : { ...patience },
      symbol: (address) => this.symbol(address),
      accept: (hello) => mismatch(select, options.factsOf(hello)),
      settled: (outcome) => this.settled(outcome),
    });
  }

  /** @returns the board at hello, or why there is none. */
  async open(): Promise<ClaimedBoard | string> {
    const { port, mac } = this.options;
    try {
      await this.lease(resolveIdentity({ helloMac: mac, port, address: port.address }).key);
      const outcome = await new Promise<BoardOutcome>((resolve) => {
        this.settled = resolve;
        this.board.open();
      });
      if (outcome.hello === undefined) return `${port.path}: ${outcome.reason}`;
      await this.lease(`mac:${outcome.hello.mac}`);
      this.chip = outcome.hello.chip;
      return this.claimed(outcome.hello, outcome.place.path);
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      return `${port.path}: ${error.sentence}${error.hint === undefined ? "" : ` ${error.hint}`}`;
    }
  }

  member(options: BoardMemberOptions & { readonly random: RandomSource }): FleetMember {
    return new BoardMember({ ...options, board: this.board, path: this.options.request.path });
  }

  /** See `Bench.settle`. */
  settle(): Promise<void> {
    return this.board.linkReport.settle();
  }

  async close(): Promise<void> {
    await this.board.close();
    this.tracker.release();
    for (const lease of this.leases.splice(0)) lease.release();
  }

  private claimed(hello: Hello, path: string): ClaimedBoard | string {
    const { request, isOnlyAsking } = this.options;
    const needed = NEEDED[request.path];
    if (!isOnlyAsking && !hello.caps.includes(needed)) {
      return `${path}: its firmware ${hello.fw} cannot take the path ${request.path}`;
    }
    return {
      thing: request.thing,
      path: request.path,
      chip: hello.chip,
      mac: hello.mac,
      port: path,
      version: hello.version,
      capabilities: hello.caps,
    };
  }

  private async lease(key: string): Promise<void> {
    const { leases, purpose = "fleetrig", leasePatienceUs: patienceUs = 0 } = this.options;
    if (leases === undefined || this.keys.has(key)) return;
    this.leases.push(await leases.acquire({ key, purpose, patienceUs }));
    this.keys.add(key);
  }

  private symbol(address: number): string {
    const { symbolsOf, known } = this.options;
    return symbolsOf?.(known, this.chip)?.(address) ?? `0x${address.toString(16).padStart(8, "0")}`;
  }
}
