import { type Clock, invariant, type JsonObject, type Random } from "fleetrig/kernel";
import { readFaultValues } from "./fault-parameters.js";
import { LINK_FAULTS } from "./faults/table.js";
import type {
  DialObstacle,
  FaultInjection,
  FaultSwitch,
  LinkControl,
  LinkFault,
  Passage,
} from "./link-fault.js";

/** The open link, as its faults reach it. */
export interface FaultedLink {
  reset(): void;
  sever(): void;
}

/** What active faults draw their time and randomness from. */
export interface LinkFaultsOptions {
  /** The device's lane. */
  readonly clock: Clock;
  /** Stream of one purpose: called once per injected fault, with `fault/<key>`, the key being its name as a rule. */
  readonly random: (purpose: string) => Random;
}

/**
 * The faults active on one device's link. They belong to the path, not to one connection: what is switched on
 * stays on over reconnects until it is switched off. Injecting an active fault again replaces it.
 */
export class LinkFaults implements FaultSwitch, LinkControl {
  readonly clock: Clock;
  /** Undefined until the first fault, because most devices never have one. */
  private active: Map<string, LinkFault> | undefined;
  private link: FaultedLink | undefined;

  constructor(private readonly options: LinkFaultsOptions) {
    this.clock = options.clock;
  }

  /** Whether anything has to be asked at all: the hot path's only question. */
  get isActive(): boolean {
    return this.active !== undefined;
  }

  /**
   * Switches a fault on, with its parameters, or off.
   * @returns false when no link fault has that name.
   * @throws FleetrigError LINK_FAULT_PARAMETER
   */
  set(fault: string, active: boolean, detail: JsonObject): boolean {
    if (!LINK_FAULTS.has(fault)) return false;
    if (active) this.inject({ key: fault, fault, detail });
    else this.lift(fault);
    return true;
  }

  /**
   * Switches a fault on under a key of its own, so that a link can have the same fault twice.
   * @throws FleetrigError LINK_FAULT_PARAMETER
   */
  inject({ key, fault, detail, injectedUs }: FaultInjection): void {
    const definition = LINK_FAULTS.get(fault);
    invariant(definition !== undefined, `${fault} is no link fault`);
    const values = readFaultValues(fault, definition.parameters, detail);
    this.active?.get(key)?.stop?.();
    this.active?.delete(key);
    const created = definition.create(values, this.options.random(`fault/${key}`));
    this.active ??= new Map();
    this.active.set(key, created);
    created.start?.(this, injectedUs ?? this.clock.nowUs());
  }

  /** Switches off what was injected under a key, if it is on. */
  lift(key: string): void {
    this.active?.get(key)?.stop?.();
    this.active?.delete(key);
    if (this.active?.size === 0) this.active = undefined;
  }

  shape(passage: Passage): void {
    for (const fault of this.active!.values()) fault.shape?.(passage);
  }

  obstruct(): DialObstacle | undefined {
    if (this.active === undefined) return undefined;
    for (const fault of this.active.values()) {
      const obstacle = fault.obstruct?.();
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }

  /** The dialer says which link is open now, if any. */
  attach(link: FaultedLink): void {
    this.link = link;
    if (this.active === undefined) return;
    for (const fault of this.active.values()) fault.opened?.(this);
  }

  detach(link: FaultedLink): void {
    if (this.link === link) this.link = undefined;
  }

  reset(): void {
    this.link?.reset();
  }

  sever(): void {
    this.link?.sever();
  }
}
