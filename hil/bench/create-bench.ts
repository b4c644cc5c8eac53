import {
  type Clock,
  EXIT,
  type EventSink,
  FleetrigError,
  LANE,
  type RandomSource,
  type TimeSource,
} from "fleetrig/kernel";
import type { FleetMember } from "fleetrig/sim";
import type { BoardHands, Patience } from "../board/board-parts.js";
import type { AttachedPort } from "../enumerate/attached-port.js";
import type { LeaseDesk } from "./bench-leases.js";
import { EMPTY_BENCH_FILE, type BenchFile, type BenchFileBoard } from "./bench-file.js";
import { type BoardFacts, matchBoards, mismatch, needsHello, shownSelector } from "./board-matching.js";
import { BenchSeat, type SeatOptions } from "./bench-seat.js";
import { LineSeat } from "./line-seat.js";
import type {
  Bench,
  BoardClaim,
  BoardMemberOptions,
  BoardRequest,
  ClaimedBoard,
  VirtualBoardKind,
} from "./bench.js";
import { PortDirectory, type PortSource } from "./port-directory.js";
import type { PortOpener } from "../port/port.js";
import { WantedPorts } from "./wanted-ports.js";

/** A virtual board that was started for this run. */
export interface LaunchedBoard {
  /** Where enumerators show it. */
  readonly path: string;
  readonly mac: string;
  /** Default: what can be done to the board at its port. */
  readonly hands?: BoardHands;
  stop(): Promise<void>;
}

/** Everything that a bench is made of. */
export interface BenchOptions {
  readonly time: TimeSource;
  /** Default: the bench's lane. */
  readonly clock?: Clock;
  /** Of the run: members draw what virtual devices in their place would draw. */
  readonly random: RandomSource;
  /** For links: their session numbers must differ between runs with the same seed. Default: that of the run. */
  readonly linkRandom?: RandomSource;
  readonly events: EventSink;
  readonly file?: BenchFile;
  readonly source: PortSource;
  readonly opener: PortOpener;
  /** Default: nobody else uses the boards. */
  readonly leases?: LeaseDesk;
  /** Shown to whoever waits for a board. */
  readonly purpose?: string;
  /** How long to wait for boards that others use. Default: 0. */
  readonly leasePatienceUs?: number;
  /** What can be done to the board at a port, besides what its bench does. */
  readonly handsOf?: (port: AttachedPort, known: BenchFileBoard | undefined) => BoardHands;
  readonly startVirtual?: (kind: VirtualBoardKind, thing: string) => Promise<LaunchedBoard>;
  /** Names addresses of a board's program. */
  readonly symbolsOf?: (
    known: BenchFileBoard | undefined,
    chip: string,
  ) => ((address: number) => string) | undefined;
  readonly image?: (version: string) => Promise<Uint8Array | undefined>;
  readonly patience?: Partial<Patience>;
}

/** A port, and what is known of the board at it. */
interface Candidate {
  readonly port: AttachedPort;
  readonly facts: BoardFacts;
  readonly known: BenchFileBoard | undefined;
  readonly launched: LaunchedBoard | undefined;
}

/** Those that speak our link. */
const LINK_PROFILES = new Set(["fleetrig", "micropython"]);

/** Makes a bench. */
export const createBench = (options: BenchOptions): Bench => new PortBench(options);

class PortBench implements Bench {
  private readonly clock: Clock;
  private readonly file: BenchFile;
  private readonly ports: WantedPorts;
  private readonly directory: PortDirectory;
  private readonly seats = new Map<ClaimedBoard, BenchSeat | LineSeat>();
  private readonly launched: LaunchedBoard[] = [];
  /** What boards said of themselves when they were asked. */
  private readonly chips = new Map<string, string>();
  /** Why nobody got anything from a port. */
  private readonly troubles = new Map<string, string>();

  constructor(private readonly options: BenchOptions) {
    this.clock = options.clock ?? options.time.lane(LANE.bench);
    this.file = options.file ?? EMPTY_BENCH_FILE;
    this.ports = new WantedPorts(options.source);
    this.directory = new PortDirectory(this.ports);
  }

  async claim(requests: readonly BoardRequest[]): Promise<readonly BoardClaim[]> {
    const claims = new Map<BoardRequest, BoardClaim>();
    const virtual = requests.filter(({ select }) => select.virtual !== undefined);
    await Promise.all(virtual.map(async (request) => claims.set(request, await this.claimVirtual(request))));
    const real = requests.filter(({ select }) => select.virtual === undefined);
    for (const { select } of real) if (select.port !== undefined) this.ports.want(select.port);
    for (const { port } of this.file.boards) if (port !== undefined) this.ports.want(port);
    this.directory.look();
    await this.ask(real);
    for (let open = real; open.length > 0; open = open.filter((request) => !claims.has(request))) {
      const progress = await this.claimRound(open, claims);
      if (!progress) break;
    }
    return requests.map((request) => claims.get(request) ?? this.missing(request));
  }

  member(board: ClaimedBoard, options: BoardMemberOptions): FleetMember {
    const seat = this.seats.get(board);
    if (seat === undefined) {
      throw new FleetrigError("BENCH_NOT_CLAIMED", `The board ${board.mac} was not claimed on this bench.`, {
        hint: "Claim boards before making members of them.",
        context: { thing: board.thing },
        exitCode: EXIT.usage,
      });
    }
    return seat.member({ ...options, random: this.options.random });
  }

  async image(version: string): Promise<Uint8Array | undefined> {
    return this.options.image?.(version);
  }

  async settle(): Promise<void> {
    await Promise.all([...this.seats.values()].map((seat) => seat.settle()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.seats.values()].map((seat) => seat.close()));
    this.seats.clear();
    await Promise.all(this.launched.map((board) => board.stop().catch(() => undefined)));
    this.launched.length = 0;
    this.directory.close();
  }

  /** Gives boards to those who can have one now. @returns whether it is worth trying again. */
  private async claimRound(
    requests: readonly BoardRequest[],
    claims: Map<BoardRequest, BoardClaim>,
  ): Promise<boolean> {
    const candidates = this.candidates();
    const chosen = matchBoards(
      requests,
      candidates.map(({ facts }) => facts),
    );
    const openings = requests.flatMap((request, index) => {
      const board = chosen[index];
      return board === undefined ? [] : [{ request, candidate: candidates[board]! }];
    });
    const outcomes = await Promise.all(
      openings.map(({ request, candidate }) => this.seat(request, candidate)),
    );
    outcomes.forEach((outcome, index) => {
      const { request, candidate } = openings[index]!;
      if (typeof outcome === "string") this.troubles.set(candidate.port.path, outcome);
      else claims.set(request, { thing: request.thing, board: outcome });
    });
    return openings.length > 0;
  }

  /** Ports that are free, and have given no trouble. */
  private candidates(): Candidate[] {
    const reserved = new Set(this.launched.map(({ path }) => path));
    return this.directory.free
      .filter(({ path }) => !reserved.has(path) && !this.troubles.has(path))
      .map((port) => this.candidate(port));
  }

  private candidate(port: AttachedPort, launched?: LaunchedBoard): Candidate {
    const mac = this.directory.macAt(port) ?? launched?.mac;
    const known = this.file.boards.find((board) =>
      board.mac === undefined
        ? mismatch({ port: board.port! }, factsOf(port, mac)) === undefined
        : board.mac === mac,
    );
    const facts = factsOf(port, mac, {
      chip: port.virtual?.chip ?? this.chipOf(mac, known),
      tags: [
        ...(known?.tags ?? []),
        ...(known?.name === undefined ? [] : [known.name]),
        ...(port.virtual?.tags ?? []),
      ],
    });
    return { port, facts, known, launched };
  }

  /** Asks boards that could be wanted who they are. None is reset for it. */
  private async ask(requests: readonly BoardRequest[]): Promise<void> {
    const unknown = this.candidates().filter(({ facts, known }) =>
      known?.profile !== undefined && Object.hasOwn(this.file.profiles, known.profile)
        ? false
        : requests.some((request) => needsHello(request, facts) || this.needsTags(request, facts)),
    );
    await Promise.all(
      unknown.map(async (candidate) => {
        const seat = this.newSeat(
          { thing: "", select: {}, path: "bridge", profile: "fleetrig" },
          candidate,
          true,
        );
        const outcome = await seat.open();
        if (typeof outcome === "string") {
          this.troubles.set(candidate.port.path, outcome);
        } else {
          this.chips.set(outcome.mac, outcome.chip);
        }
        await seat.close();
      }),
    );
  }

  /** Tags hang on the MAC, so a board that has not said its own may have them. */
  private needsTags({ select }: BoardRequest, { mac }: BoardFacts): boolean {
    return (select.tags?.length ?? 0) > 0 && mac === undefined;
  }

  private async claimVirtual(request: BoardRequest): Promise<BoardClaim> {
    const { thing, select } = request;
    const { startVirtual } = this.options;
    if (startVirtual === undefined)
      return { thing, board: undefined, reason: "this bench makes no virtual boards" };
    try {
      const launched = await startVirtual(select.virtual!, thing);
      this.launched.push(launched);
      this.ports.want(launched.path);
      this.directory.look();
      const port = this.directory.free.find(({ path }) => path === launched.path);
      if (port === undefined) return { thing, board: undefined, reason: `no port shows ${launched.path}` };
      const outcome = await this.seat(request, this.candidate(port, launched));
      return typeof outcome === "string"
        ? { thing, board: undefined, reason: outcome }
        : { thing, board: outcome };
    } catch (error) {
      const reason = error instanceof FleetrigError ? error.sentence : String(error);
      return { thing, board: undefined, reason };
    }
  }

  /** @returns the board, or why there is none. */
  private async seat(request: BoardRequest, candidate: Candidate): Promise<ClaimedBoard | string> {
    const profile = candidate.known?.profile ?? request.profile;
    if (!LINK_PROFILES.has(profile) && !Object.hasOwn(this.file.profiles, profile)) {
      return `${candidate.port.path}: the bench file has no profile ${profile}`;
    }
    const seat = this.newSeat({ ...request, profile }, candidate, false);
    const outcome = await seat.open();
    if (typeof outcome === "string") await seat.close();
    else this.seats.set(outcome, seat);
    return outcome;
  }

  private newSeat(request: BoardRequest, candidate: Candidate, isOnlyAsking: boolean): BenchSeat | LineSeat {
    const { options, clock, directory } = this;
    const { port, known, launched, facts } = candidate;
    const seat: SeatOptions = {
      ...options,
      clock,
      directory,
      request,
      port,
      mac: facts.mac,
      known,
      hands: isOnlyAsking ? {} : (launched?.hands ?? options.handsOf?.(port, known) ?? {}),
      random: options.linkRandom ?? options.random,
      isOnlyAsking,
      factsOf: (hello) => ({
        ...facts,
        mac: hello.mac,
        chip: hello.chip,
        tags: this.tagsOf(hello.mac, facts),
      }),
    };
    const { profiles } = this.file;
    const lines = Object.hasOwn(profiles, request.profile) ? profiles[request.profile] : undefined;
    return lines === undefined ? new BenchSeat(seat) : new LineSeat(seat, lines);
  }

  private chipOf(mac: string | undefined, known: BenchFileBoard | undefined): string | undefined {
    const { profiles } = this.file;
    const { profile } = known ?? {};
    if (profile !== undefined && Object.hasOwn(profiles, profile)) return profiles[profile]?.chip;
    return mac === undefined ? undefined : this.chips.get(mac);
  }

  private tagsOf(mac: string, facts: BoardFacts): readonly string[] {
    const known = this.file.boards.find((board) => board.mac === mac);
    return known === undefined
      ? facts.tags
      : [...known.tags, ...(known.name === undefined ? [] : [known.name])];
  }

  private missing({ thing, select }: BoardRequest): BoardClaim {
    const why = this.directory.free.map((port) => {
      const { facts } = this.candidate(port);
      return this.troubles.get(port.path) ?? mismatch(select, facts) ?? `${port.path} went to another member`;
    });
    const taken = [...this.seats.keys()].map(({ port, thing: owner }) => `${port} is ${owner}`);
    const all = [...why, ...taken];
    const reason =
      all.length === 0
        ? "no board is attached"
        : `no board with ${shownSelector(select)} is free: ${all.join("; ")}`;
    return { thing, board: undefined, reason };
  }
}

const factsOf = (
  port: AttachedPort,
  mac: string | undefined,
  { chip, tags = [] }: { chip?: string | undefined; tags?: readonly string[] } = {},
): BoardFacts => ({ path: port.path, aliases: [...port.byId, ...port.byPath], mac, chip, tags });
