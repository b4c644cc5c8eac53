import {
  type Clock,
  EXIT,
  FleetrigError,
  type JsonObject,
  type JsonValue,
  nearestName,
  type RandomSource,
} from "fleetrig/kernel";
import type {
  BoardControls,
  DisconnectMode,
  FaultSwitch,
  FleetMember,
  MemberPlan,
  StateChange,
} from "fleetrig/sim";
import type { BoardMemberOptions } from "../bench/bench.js";
import { type RenderedMember, renderMember } from "./configuration.js";
import { DirectDoor } from "./direct-door.js";
import type { BoardListener, CommandAnswer, MemberBoard } from "./member-board.js";
import { MemberEvents } from "./member-events.js";
import { Tunnel } from "./tunnel.js";

/** A board that was claimed, and how it reaches its broker. */
export interface BoardMemberParts extends BoardMemberOptions {
  readonly board: MemberBoard;
  readonly path: "bridge" | "direct";
  /** Of the run. */
  readonly random: RandomSource;
}

/** Answers after which it is worth telling a board the same again, with its next session. */
const PASSING_ERRORS = new Set(["rebooted", "lost", "busy", "timeout"]);
/** Orders that wait for a board; a scenario that has given so many meanwhile means the last ones. */
const ORDERS_MAX = 256;

/** Where a signal was sent, for a board that has forgotten. */
interface SignalTarget {
  readonly value: number;
  /** When it gets there. */
  readonly endUs: number;
}

/**
 * A real board as a member of the fleet. It tells the board who it is and what the scenario wants, and tells the run what the
 * board does, so that nobody can tell it from a virtual device.
 *
 * *Standing* orders (configuration, start, faults, signals) are told again to a board that has restarted; others once.
 */
export class BoardMember implements FleetMember, BoardListener {
  private readonly rendered: RenderedMember;
  private readonly told: MemberEvents;
  private readonly tunnel: Tunnel | undefined;
  private readonly door: DirectDoor | undefined;
  private readonly clock: Clock;
  private readonly device: MemberBoard;
  private readonly plan: MemberPlan;
  private isReady = false;
  private isConfigured = false;
  private isStopped = false;
  private originUs: number | undefined;
  /** The start that the board runs on has been told when it began. */
  private isStarted = false;
  private readonly orders: (readonly [op: string, args: JsonObject])[] = [];
  private readonly activeFaults = new Map<string, JsonObject>();
  private readonly targets = new Map<string, SignalTarget>();
  private wasOnline = false;
  private refusedStarts = 0;

  /** @throws FleetrigError BOARD_PLAN_UNSUPPORTED, BOARD_NO_DOOR, and the errors of templates */
  constructor(private readonly parts: BoardMemberParts) {
    const { plan, group, clock, events, probe, run, board, path, random, seed } = parts;
    this.plan = plan;
    this.clock = clock;
    this.device = board;
    this.rendered = renderMember({ plan, group, run, path, random, seed });
    this.told = new MemberEvents({
      plan,
      clock,
      events,
      probe,
      run,
      schedules: this.rendered.schedules,
      toHostUs: (boardUs) => board.toHostUs(boardUs),
    });
    if (path === "bridge") this.tunnel = this.createTunnel();
    else this.door = this.openDoor();
    board.listen(this);
  }

  get name(): string {
    return this.plan.name;
  }

  get group(): string {
    return this.parts.group.group;
  }

  get ordinal(): number {
    return this.plan.ordinal;
  }

  get attributes(): JsonObject {
    return this.plan.attributes;
  }

  get isOnline(): boolean {
    return this.told.isOnline;
  }

  get board(): BoardControls {
    return this.device.controls;
  }

  /** What the tunnel saw that it should not have; undefined on the path `direct`. */
  get tunnelCounters(): Tunnel["counters"] | undefined {
    return this.tunnel?.counters;
  }

  /** Events of the board that made no sense. */
  get strangeEvents(): number {
    return this.told.strange;
  }

  start(originUs = 0): void {
    this.originUs = originUs;
    this.told.started(originUs);
    this.tellStart();
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.told.left();
    this.tunnel?.leave();
    this.orders.length = 0;
    if (this.isReady) this.device.command("stop", {});
    void this.door?.close();
  }

  disconnect(mode: DisconnectMode, holdUs: number, action: string): void {
    if (mode === "graceful") {
      this.order("disconnect", { mode, holdUs, action });
      return;
    }
    this.told.caused(action, mode);
    if (this.tunnel !== undefined) this.tunnel.disconnect(mode, holdUs);
    else if (mode === "ungraceful") this.order("disconnect", { mode, holdUs, action });
    else this.door?.hold(mode, holdUs);
  }

  connect(): void {
    this.tunnel?.allow();
    this.door?.allow();
    this.order("connect", {});
  }

  /** @throws {FleetrigError} DEVICE_UNKNOWN_STATE, DEVICE_NOT_A_NUMBER */
  setState(values: Readonly<Record<string, StateChange>>): void {
    const changes: [string, JsonValue][] = [];
    for (const [name, change] of Object.entries(values)) {
      const target = "to" in change ? change.to : change.rampTo;
      const overUs = "to" in change ? 0 : change.overUs;
      if (!this.rendered.signals.has(name)) throw unknownState(this.group, name, this.rendered.signals);
      if (typeof target !== "number") throw notANumber(this.group, name, target);
      this.targets.set(name, { value: target, endUs: this.clock.nowUs() + overUs });
      changes.push([name, overUs > 0 ? { rampTo: target, overUs } : target]);
    }
    if (this.isReady) this.device.command("setState", { values: Object.fromEntries(changes) });
  }

  setFault(fault: string, active: boolean, detail: JsonObject): boolean {
    if (this.linkFaults?.set(fault, active, detail) === true) return true;
    if (this.device.setFault(fault, active, detail)) return true;
    if (this.parts.group.model.faults?.includes(fault) !== true) return false;
    if (active) this.activeFaults.set(fault, detail);
    else this.activeFaults.delete(fault);
    if (this.isReady) this.device.command("fault", { fault, active, detail });
    return true;
  }

  ready(thing: string | undefined, isNewStart: boolean): void {
    this.isReady = true;
    if (this.isStopped) return;
    if (isNewStart) {
      this.isStarted = false;
      if (this.wasOnline) this.told.cut("restarted");
      this.wasOnline = false;
    }
    const { device, clock } = this;
    device.command("time", { wallMs: clock.wallMs(), at: device.toBoardUs(clock.nowUs()) });
    if (!this.isConfigured || thing !== this.name) this.configure();
    else this.goOn(isNewStart);
  }

  lost(reason: string): void {
    this.isReady = false;
    this.tunnel?.lineLost();
    this.told.lineLost();
    if (this.tunnel === undefined) this.wasOnline = this.isOnline;
    else this.told.cut(reason);
  }

  event(event: JsonObject): void {
    if (!this.isStopped) this.told.take(event);
  }

  network(message: JsonObject): void {
    this.tunnel?.network(message);
  }

  networkData(bytes: Uint8Array): void {
    this.tunnel?.networkData(bytes);
  }

  private get linkFaults(): FaultSwitch | undefined {
    return this.door ?? this.parts.faults;
  }

  private createTunnel(): Tunnel {
    const { plan, group, clock, dialer, board } = this.parts;
    return new Tunnel({
      clock,
      thing: plan.name,
      version: group.mqtt.protocolVersion,
      dialer,
      login: this.rendered.login,
      line: board,
      passing: (packet) => this.told.passing(packet),
    });
  }

  private openDoor(): DirectDoor {
    const { door, clock, random, plan } = this.parts;
    if (door === undefined) {
      throw new FleetrigError(
        "BOARD_NO_DOOR",
        `${plan.name} has a network of its own, and nowhere to connect to.`,
        {
          hint: "Let the broker listen on an address that boards reach, or take the path bridge.",
          context: { thing: plan.name },
          exitCode: EXIT.usage,
        },
      );
    }
    return new DirectDoor({
      door,
      clock,
      random,
      opened: () => {
        if (this.isReady && !this.isConfigured) this.configure();
      },
      failed: (reason) => this.device.giveUp(reason),
    });
  }

  private configure(): void {
    const credentials = this.door?.credentials;
    if (this.door !== undefined) {
      if (credentials === undefined) return;
      this.device.command("credentials", credentials, (answer) => this.refused("credentials", answer));
    }
    this.device.command("configure", this.rendered.configuration, (answer) => {
      if (this.refused("configure", answer) || !answer.ok) return;
      this.isConfigured = true;
      // Whoever is configured has stopped what ran before.
      this.isStarted = false;
      this.goOn(true);
    });
  }

  /** What a board must hear that knows who it is. */
  private goOn(isNewStart: boolean): void {
    this.tunnel?.open();
    if (isNewStart) this.tellStanding();
    this.tellStart();
    for (let next = this.orders.shift(); next !== undefined; next = this.orders.shift()) {
      this.device.command(...next);
    }
  }

  private tellStanding(): void {
    for (const [fault, detail] of this.activeFaults) {
      this.device.command("fault", { fault, active: true, detail });
    }
    const nowUs = this.clock.nowUs();
    const values = [...this.targets].map(([name, { value, endUs }]): [string, JsonValue] => [
      name,
      endUs > nowUs ? { rampTo: value, overUs: endUs - nowUs } : value,
    ]);
    if (values.length > 0) this.device.command("setState", { values: Object.fromEntries(values) });
  }

  private tellStart(): void {
    if (this.originUs === undefined || this.isStarted || !this.isReady || !this.isConfigured) return;
    this.isStarted = true;
    this.device.command("start", { at: this.device.toBoardUs(this.originUs) }, (answer) => {
      if (!answer.ok) this.notStarted(answer);
      else this.refusedStarts = 0;
    });
  }

  /** A board that says who it is and cannot be that has lost half of what it was told. */
  private notStarted(answer: Extract<CommandAnswer, { ok: false }>): void {
    this.isStarted = false;
    if (PASSING_ERRORS.has(answer.error)) return;
    this.refusedStarts += 1;
    this.isConfigured = false;
    if (this.refusedStarts > 1) this.refused("start", answer);
    else if (this.isReady) this.configure();
  }

  private order(op: string, args: JsonObject): void {
    if (this.isStopped) return;
    if (this.isReady && this.isConfigured) {
      this.device.command(op, args);
      return;
    }
    this.orders.push([op, args]);
    if (this.orders.length > ORDERS_MAX) this.orders.shift();
  }

  /** A board that will not be what it should be is of no use. */
  private refused(op: string, answer: CommandAnswer): boolean {
    if (answer.ok || PASSING_ERRORS.has(answer.error)) return false;
    this.device.giveUp(
      `it refused ${op}: ${answer.error}${answer.message === "" ? "" : `, ${answer.message}`}`,
    );
    return true;
  }
}

function unknownState(group: string, name: string, signals: ReadonlySet<string>): FleetrigError {
  const names = [...signals];
  const nearest = nearestName(name, names);
  return new FleetrigError("DEVICE_UNKNOWN_STATE", `Devices of group ${group} have no "${name}" to set.`, {
    hint: nearest === undefined ? `Signals: ${names.join(", ") || "none"}.` : `Did you mean "${nearest}"?`,
    context: { group, state: name },
    exitCode: EXIT.usage,
  });
}

const notANumber = (group: string, signal: string, target: string | boolean): FleetrigError =>
  new FleetrigError("DEVICE_NOT_A_NUMBER", `Signal "${signal}" cannot become ${JSON.stringify(target)}.`, {
    hint: "Signals are numbers; give one, or { rampTo, over }.",
    context: { group, signal },
    exitCode: EXIT.usage,
  });
