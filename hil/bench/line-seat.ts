import { type BoardFact, FleetrigError, type RandomSource } from "fleetrig/kernel";
import type { BoardControls, FleetMember } from "fleetrig/sim";
import { describeBacktrace } from "../elf/index.js";
import { normalMac, resolveIdentity } from "../enumerate/board-identity.js";
import { LineMember, unsupportedByLines } from "../profiles/line-member.js";
import { LinePort } from "../profiles/line-port.js";
import type { LineProfile } from "../profiles/line-profile.js";
import type { BenchLease } from "./bench-leases.js";
import type { SeatOptions } from "./bench-seat.js";
import type { BoardMemberOptions, ClaimedBoard } from "./bench.js";
import type { PortDirectory } from "./port-directory.js";

/** From an open port to a line that shows that the firmware runs; then it is reset, and has as long again. */
const HELLO_US = 5_000_000;

/** A board that speaks in lines, from its first one until it is given back. */
export class LineSeat {
  private readonly port: LinePort;
  private readonly tracker: ReturnType<PortDirectory["track"]>;
  private lease: BenchLease | undefined;
  private member_: LineMember | undefined;
  private mac: string;
  private lostUs: number | undefined;
  private firstUp: ((path: string) => void) | undefined;

  /** @throws FleetrigError `BOARD_LOG_PATTERN` (exit 2) */
  constructor(
    private readonly options: SeatOptions,
    private readonly profile: LineProfile,
  ) {
    const { clock, directory, port, mac, opener } = options;
    this.mac = mac ?? "";
    this.tracker = directory.track(port, mac);
    this.port = new LinePort({
      clock,
      tracker: this.tracker,
      opener,
      profile,
      handlers: {
        line: (text) => this.member_?.line(text),
        up: (groups, path) => this.up(groups, path),
        down: (reason) => this.down(reason),
        panicked: (report) => {
          const { kind, cause, atUs } = report;
          const noticedUs = Math.max(0, clock.nowUs() - atUs);
          const backtrace = describeBacktrace(report, undefined);
          this.emit({ type: "board.panicked", kind, cause, backtrace, noticedUs, isExpected: false });
        },
      },
    });
  }

  /** @returns the board, or why there is none. */
  async open(): Promise<ClaimedBoard | string> {
    const {
      port,
      mac,
      leases,
      purpose = "fleetrig",
      leasePatienceUs: patienceUs = 0,
      request,
    } = this.options;
    if (request.path === "direct") return `${port.path}: a board that speaks in lines takes the path bridge`;
    try {
      const { key } = resolveIdentity({ helloMac: mac, port, address: port.address });
      this.lease = await leases?.acquire({ key, purpose, patienceUs });
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      return `${port.path}: ${error.sentence}`;
    }
    const path = await this.waitForLine();
    if (path === undefined) return `${port.path}: no line that shows that its firmware runs`;
    return {
      thing: request.thing,
      path: "bridge",
      chip: this.profile.chip,
      mac: this.mac,
      port: path,
      version: "",
      capabilities: [],
    };
  }

  member(options: BoardMemberOptions & { readonly random: RandomSource }): FleetMember {
    const { port, profile } = this;
    const controls = this.controls(options);
    this.member_ = new LineMember({ ...options, line: port, profile, controls });
    return this.member_;
  }

  /** Lines count nothing. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.port.close();
    this.tracker.release();
    this.lease?.release();
    this.lease = undefined;
  }

  private waitForLine(): Promise<string | undefined> {
    const { clock, hands } = this.options;
    return new Promise((resolve) => {
      let isReset = false;
      const timer = clock.after(HELLO_US, () => {
        const { current } = this.port;
        if (isReset || current === undefined || hands.reset === undefined) {
          resolve(undefined);
          return;
        }
        isReset = true;
        // What comes of it is seen on the line, or not.
        hands.reset(current).catch(() => undefined);
        timer.again(HELLO_US);
      });
      this.firstUp = (path) => {
        timer.cancel();
        resolve(path);
      };
      this.port.open();
    });
  }

  private up(groups: readonly string[], path: string): void {
    const { clock } = this.options;
    this.mac = groups.map((group) => normalMac(group)).find((mac) => mac !== undefined) ?? this.mac;
    const { lostUs, firstUp } = this;
    this.firstUp = undefined;
    this.lostUs = undefined;
    if (firstUp !== undefined || lostUs !== undefined) {
      this.emit({ type: "board.attached", path, chip: this.profile.chip, mac: this.mac });
    }
    if (lostUs !== undefined) {
      this.emit({ type: "board.recovered", tookUs: clock.nowUs() - lostUs, rung: "reopened" });
    }
    firstUp?.(path);
    this.member_?.up();
  }

  private down(reason: string): void {
    this.lostUs ??= this.options.clock.nowUs();
    this.emit({ type: "board.detached", reason });
    this.member_?.down();
  }

  private controls({ plan, events, clock }: BoardMemberOptions): BoardControls {
    const { hands } = this.options;
    const watch = this.port.log.watch();
    const refuse = (what: string) => (): never => {
      throw unsupportedByLines(what);
    };
    const reset = (): void => {
      const { current } = this.port;
      if (current === undefined || hands.reset === undefined)
        throw unsupportedByLines("be reset at this port");
      hands.reset(current).catch(() => undefined);
    };
    return {
      reset,
      powerCycle: (offUs) => {
        const { power } = hands;
        if (power === undefined) {
          reset();
          return;
        }
        power(false).catch(() => undefined);
        clock.after(offUs, () => void power(true).catch(() => undefined));
      },
      sleep: refuse("be sent to sleep"),
      stimulate: refuse("be stimulated"),
      crash: refuse("be made to crash"),
      awaitLog: ({ action, ...wait }) =>
        void watch.await(wait, ({ failure, waitedUs }) =>
          events.emit({
            type: "board.log-awaited",
            atUs: clock.nowUs(),
            thing: plan.name,
            action,
            pattern: wait.pattern,
            failure,
            waitedUs,
          }),
        ),
    };
  }

  private emit(fact: BoardFact): void {
    const { events, clock, request } = this.options;
    events.emit({ ...fact, atUs: clock.nowUs(), thing: request.thing });
  }
}
