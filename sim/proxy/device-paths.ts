import type { Clock, JsonObject, RandomSource } from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import { readFaultValues } from "../links/fault-parameters.js";
import { LinkFaults } from "../links/link-faults.js";
import { LinkPath } from "../links/link-path.js";
import { PERFECT_LINK } from "../plan.js";
import { BYTE_FAULTS, type ByteFault, type OutgoingBytes } from "./byte-faults.js";
import { matchesClient } from "./client-pattern.js";

/**
 * The way of one device to the broker, with the faults on it. As in scenarios it outlives its connections: a device
 * that comes back finds what was switched on meanwhile, and the fourth PUBLISH stays the fourth. A device is a
 * client identifier; a client without one has a path for each connection.
 */

/** A fault that is switched on. */
export interface ActiveFault {
  /** Names its random stream. */
  readonly key: string;
  readonly fault: string;
  readonly detail: JsonObject;
  /** Undefined for everybody. */
  readonly client: string | undefined;
  readonly injectedUs: number;
}

/** One device's way. */
export class DevicePath {
  readonly faults: LinkFaults;
  readonly link: LinkPath;
  /** Connections that use it. */
  users = 0;
  private readonly byteFaults = new Map<string, ByteFault>();

  /**
   * @param clientId Empty for a client without one.
   * @param stream Prefix of its random streams. For a client identifier they are those of a scenario's thing of
   *   that name: the same seed makes the same draws here and there.
   */
  constructor(
    readonly clientId: string,
    private readonly stream: string,
    private readonly options: DevicePathsOptions,
  ) {
    const { clock, random } = options;
    this.faults = new LinkFaults({ clock, random: (purpose) => random.stream(`${stream}/${purpose}`) });
    this.link = new LinkPath({
      clock,
      faults: this.faults,
      profile: PERFECT_LINK,
      random: random.stream(`${stream}/network`),
      wireBytes,
      version: 4,
    });
  }

  get hasByteFaults(): boolean {
    return this.byteFaults.size > 0;
  }

  inject(active: ActiveFault): void {
    const { key, fault, detail } = active;
    const definition = BYTE_FAULTS.get(fault);
    if (definition === undefined) return this.faults.inject(active);
    const values = readFaultValues(fault, definition.parameters, detail);
    const random = this.options.random.stream(`${this.stream}/fault/${key}`);
    this.byteFaults.set(key, definition.create(values, random));
  }

  lift(key: string): void {
    if (!this.byteFaults.delete(key)) this.faults.lift(key);
  }

  bend(outgoing: OutgoingBytes): void {
    for (const fault of this.byteFaults.values()) fault.bend(outgoing);
  }
}

export interface DevicePathsOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Paths kept for devices that are away: what is on them is forgotten beyond that, the longest away first. */
const AWAY_MAX = 10_000;

/** All devices' ways, and the faults that are on at the moment. */
export class DevicePaths {
  private readonly named = new Map<string, DevicePath>();
  private readonly nameless = new Set<DevicePath>();
  /** Those of the named that nobody uses. */
  private readonly away = new Set<DevicePath>();
  private readonly active = new Map<string, ActiveFault>();
  private namelessSoFar = 0;

  constructor(private readonly options: DevicePathsOptions) {}

  /** The way of a device that connects. @param clientId Empty for a client without one. */
  enter(clientId: string): DevicePath {
    const path = this.named.get(clientId) ?? this.create(clientId);
    this.away.delete(path);
    path.users += 1;
    return path;
  }

  /** A connection is over. */
  leave(path: DevicePath): void {
    path.users -= 1;
    if (path.users > 0) return;
    if (this.nameless.has(path)) {
      this.forget(path);
      return;
    }
    this.away.add(path);
    if (this.away.size <= AWAY_MAX) return;
    const [longestAway] = this.away;
    this.forget(longestAway!);
  }

  inject(fault: ActiveFault): void {
    this.active.set(fault.key, fault);
    for (const path of this.all()) if (concerns(fault, path)) path.inject(fault);
  }

  lift(key: string): void {
    if (!this.active.delete(key)) return;
    for (const path of this.all()) path.lift(key);
  }

  private all(): readonly DevicePath[] {
    return [...this.named.values(), ...this.nameless];
  }

  private create(clientId: string): DevicePath {
    const isNameless = clientId === "";
    const name = isNameless ? `connection/${this.namelessSoFar++}` : `thing/${clientId}`;
    const path = new DevicePath(clientId, name, this.options);
    if (isNameless) this.nameless.add(path);
    else this.named.set(clientId, path);
    for (const fault of this.active.values()) if (concerns(fault, path)) path.inject(fault);
    return path;
  }

  private forget(path: DevicePath): void {
    for (const key of this.active.keys()) path.lift(key);
    this.away.delete(path);
    if (!this.nameless.delete(path)) this.named.delete(path.clientId);
  }
}

const concerns = ({ client }: ActiveFault, { clientId }: DevicePath): boolean =>
  client === undefined || matchesClient(client, clientId);
