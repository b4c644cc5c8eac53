import type { Clock } from "fleetrig/kernel";
import type { AttachedPort } from "../enumerate/attached-port.js";
import { listPorts } from "../enumerate/list-ports.js";
import { PortWatch } from "../enumerate/port-watch.js";
import { hostSystemFiles } from "../enumerate/system-files.js";
import { readVirtualBoards } from "../enumerate/virtual-registry.js";
import type { PortSource } from "./port-directory.js";

/** The ports of this machine, and those of the virtual boards that run on it. */
export class HostPorts implements PortSource {
  private readonly ports_: PortWatch;
  private readonly listeners = new Set<() => void>();

  /** @param registryFolder Where virtual boards are entered. */
  constructor(clock: Clock, registryFolder: string) {
    this.ports_ = new PortWatch({
      clock,
      list: () => listPorts(hostSystemFiles, readVirtualBoards(registryFolder)),
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
