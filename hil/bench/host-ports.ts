import type { Clock } from "fleetrig/kernel";
import type { AttachedPort } from "../enumerate/attached-port.js";
import { PortWatch } from "../enumerate/port-watch.js";
import type { PortSource } from "./port-directory.js";

/** The ports of this machine, and those of the virtual boards that run on it. */
export class HostPorts implements PortSource {
  private readonly ports_: PortWatch;
  private readonly listeners = new Set<() => void>();

  /** @param list As they are now. */
  constructor(clock: Clock, list: () => readonly AttachedPort[]) {
    this.ports_ = new PortWatch({
      clock,
      list,
      changed: () => {
        for (const listener of this.listeners) listener();
      },
    });
  }

  get ports(): readonly AttachedPort[] {
    return this.ports_.ports;
  }

  watch(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  look(): void {
    this.ports_.look();
  }

  stop(): void {
    this.ports_.stop();
  }
}
