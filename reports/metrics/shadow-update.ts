import type { JsonObject } from "fleetrig/kernel";
import { type Leaf, stateHas } from "./shadow-leaves.js";

/**
 * One update of a thing's desired state on its way to the device. It has converged at t when every leaf of it
 * equals both `reported` and the device's own state from t on, for at least the stable time.
 */
export interface ShadowUpdateStart {
  /** Id of the action, or the client token. */
  readonly update: string;
  readonly thing: string;
  readonly acceptedUs: number;
  readonly leaves: readonly Leaf[];
  /** Whether the thing was connected then. */
  readonly wasOnline: boolean;
  readonly stableUs: number;
}

/** What is known of the thing after a change. */
export interface ObservedStates {
  readonly reported: JsonObject;
  /** Undefined where the device's truth is unknown: `reported` decides. */
  readonly device: JsonObject | undefined;
  /** Undefined while it is not connected. */
  readonly onlineSinceUs: number | undefined;
}

export class ShadowUpdate {
  /** Since when it looks converged. */
  private agreesSinceUs: number | undefined;
  private connectedUs: number | undefined;
  private agreedUs: number | undefined;
  private liesSinceUs: number | undefined;
  private hasReportedFalsely = false;
  isSuperseded = false;

  constructor(readonly start: ShadowUpdateStart) {}

  get update(): string {
    return this.start.update;
  }

  get thing(): string {
    return this.start.thing;
  }

  observe(atUs: number, { reported, device, onlineSinceUs }: ObservedStates): void {
    this.settle(atUs);
    if (this.agreedUs !== undefined || this.isSuperseded) return;
    const { leaves } = this.start;
    const isReported = leaves.every((leaf) => stateHas(reported, leaf));
    const isTrue = device === undefined || leaves.every((leaf) => stateHas(device, leaf));
    if (!(isReported && isTrue)) this.agreesSinceUs = undefined;
    else if (this.agreesSinceUs === undefined) {
      this.agreesSinceUs = atUs;
      this.connectedUs = onlineSinceUs;
    }
    if (!isReported || isTrue) this.liesSinceUs = undefined;
    else this.liesSinceUs ??= atUs;
  }

  /** Time has passed: what has been so for the stable time is so. */
  settle(nowUs: number): void {
    if (this.liesSinceUs !== undefined && nowUs - this.liesSinceUs >= this.start.stableUs)
      this.hasReportedFalsely = true;
    if (this.agreedUs === undefined && this.agreesSinceUs !== undefined) {
      if (nowUs - this.agreesSinceUs >= this.start.stableUs) this.agreedUs = this.agreesSinceUs;
    }
  }

  /** A newer update writes the same keys. */
  supersede(atUs: number): void {
    this.settle(atUs);
    if (this.agreedUs === undefined) this.isSuperseded = true;
  }

  get convergedUs(): number | undefined {
    return this.agreedUs;
  }

  /** When the thing that converged had last connected. */
  get onlineSinceUs(): number | undefined {
    return this.connectedUs;
  }

  /** It was reported for the stable time while the device did something else. */
  get hasLied(): boolean {
    return this.hasReportedFalsely;
  }

  get isPending(): boolean {
    return this.agreedUs === undefined && !this.isSuperseded;
  }
}
