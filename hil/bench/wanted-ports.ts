import type { AttachedPort } from "../enumerate/attached-port.js";
import { parsePortAddress } from "../port/port-address.js";
import type { PortSource } from "./port-directory.js";

/**
 * A port that is known by its address only.
 * @throws FleetrigError PORT_ADDRESS
 */
export function namedPort(path: string): AttachedPort {
  const address = parsePortAddress(path);
  return {
    address,
    path,
    adapter: {
      kind: address.kind === "tty" ? "uart" : "network",
      name: address.kind,
      hasMacSerial: false,
      hasUniqueSerial: false,
    },
    driver: undefined,
    usb: undefined,
    byId: [],
    byPath: [],
    virtual: undefined,
  };
}

/** Ports of an enumerator, and those that somebody names whom no enumerator knows: on the network, or pseudo terminals. */
export class WantedPorts implements PortSource {
  private readonly wanted = new Map<string, AttachedPort>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly source: PortSource) {}

  get ports(): readonly AttachedPort[] {
    const found = this.source.ports;
    const known = new Set(found.flatMap(({ path, byId, byPath }) => [path, ...byId, ...byPath]));
    return [...found, ...[...this.wanted.values()].filter(({ path }) => !known.has(path))];
  }

  /**
   * Somebody names this port. Globs name only what is there.
   * @throws FleetrigError PORT_ADDRESS
   */
  want(path: string): void {
    if (/[*?]/.test(path) || this.wanted.has(path)) return;
    this.wanted.set(path, namedPort(path));
    for (const listener of this.listeners) listener();
  }

  watch(changed: () => void): () => void {
    const end = this.source.watch(changed);
    this.listeners.add(changed);
    return () => {
      this.listeners.delete(changed);
      end();
    };
  }

  look(): void {
    this.source.look();
  }
}
