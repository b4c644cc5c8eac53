import { type Clock, FleetrigError, type JsonObject, type RandomSource, type Timer } from "fleetrig/kernel";
import {
  type AppliedFault,
  createFaultProxy,
  type DisconnectMode,
  type FaultProxy,
  type FaultProxyOptions,
  type FaultSwitch,
  PROXY_FAULTS,
} from "fleetrig/sim";
import type { BoardDoor } from "../bench/bench.js";

export interface DirectDoorOptions {
  /** The broker's own. */
  readonly door: BoardDoor;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** From now on there are credentials. */
  readonly opened: () => void;
  readonly failed: (reason: string) => void;
}

const HOLDS: Readonly<Partial<Record<DisconnectMode, string>>> = {
  blackhole: "link.blackhole",
  "no-connack": "link.no-connack",
};

/**
 * The way of one board with a network of its own: a proxy in front of the broker's door, on which the scenario's network
 * faults are switched. Where the board speaks TLS and the keys of both sides are not known, it sees bytes only, and has those faults that
 * need no more.
 */
export class DirectDoor implements FaultSwitch {
  private proxy: FaultProxy | undefined;
  private isClosed = false;
  private readonly applied = new Map<string, AppliedFault>();
  /** Switched on before the proxy was there. */
  private readonly early = new Map<string, JsonObject>();
  private holdTimer: Timer | undefined;
  private held: AppliedFault | undefined;

  constructor(private readonly options: DirectDoorOptions) {
    void this.open();
  }

  /** What the board is told; undefined until the proxy listens. */
  get credentials(): JsonObject | undefined {
    if (this.proxy === undefined) return undefined;
    const { host, tls } = this.options.door;
    return {
      host,
      port: this.proxy.port,
      ...(tls !== undefined && {
        serverName: tls.serverName,
        ca: tls.caPem,
        ...(tls.certificatePem !== undefined && { cert: tls.certificatePem }),
        ...(tls.keyPem !== undefined && { key: tls.keyPem }),
      }),
    };
  }

  /** @throws FleetrigError `PROXY_NEEDS_PACKETS`, `LINK_FAULT_PARAMETER` */
  set(fault: string, active: boolean, detail: JsonObject): boolean {
    if (!PROXY_FAULTS.has(fault)) return false;
    this.applied.get(fault)?.clear();
    this.applied.delete(fault);
    this.early.delete(fault);
    if (!active) return true;
    if (this.proxy === undefined) this.early.set(fault, detail);
    else this.applied.set(fault, this.proxy.apply({ fault, detail }));
    return true;
  }

  /** Keeps connections down for that long, as a disconnect of a scenario wants it. */
  hold(mode: DisconnectMode, holdUs: number): void {
    const fault = HOLDS[mode];
    if (fault === undefined || this.proxy === undefined) return;
    this.allow();
    this.held = this.proxy.apply({ fault });
    if (holdUs > 0) this.holdTimer = this.options.clock.after(holdUs, () => this.allow());
  }

  allow(): void {
    this.holdTimer?.cancel();
    this.holdTimer = undefined;
    this.held?.clear();
    this.held = undefined;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.allow();
    await this.proxy?.stop();
  }

  private async open(): Promise<void> {
    const { door, clock, random, opened, failed } = this.options;
    try {
      const proxy = await createFaultProxy({
        host: door.host,
        port: 0,
        to: { host: door.host, port: door.port },
        clock,
        random,
        ...wayOf(door),
      });
      if (this.isClosed) {
        await proxy.stop();
        return;
      }
      this.proxy = proxy;
      for (const [fault, detail] of this.early) this.applied.set(fault, proxy.apply({ fault, detail }));
      this.early.clear();
      opened();
    } catch (error) {
      failed(error instanceof FleetrigError ? error.message : String(error));
    }
  }
}

/** TLS is looked into where the keys of both sides are known. */
function wayOf({ tls }: BoardDoor): Pick<FaultProxyOptions, "mode" | "tls"> {
  if (tls === undefined) return { mode: "mqtt" };
  const { server, certificatePem, keyPem, caPem, serverName } = tls;
  if (server === undefined || certificatePem === undefined || keyPem === undefined) return { mode: "raw" };
  return { mode: "mqtt", tls: { server, client: { certificatePem, keyPem }, caPem, serverName } };
}
