import type { AttachedPort } from "../enumerate/attached-port.js";
import { parsePortAddress } from "../port/port-address.js";
import { globMatches } from "./board-matching.js";
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

/**
 * Ports where boards may be: those of an enumerator, and those that somebody names whom no enumerator knows, on the network or pseudo terminals.
 * What hangs at a UART of the machine itself is as likely its console or somebody's modem, so nobody is asked there unless the port is named.
 */
export class WantedPorts implements PortSource {
  private readonly wanted = new Map<string, AttachedPort>();
  private readonly globs = new Set<string>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly source: PortSource) {}

  get ports(): readonly AttachedPort[] {
    const found = this.source.ports.filter((port) => !isOfMachine(port) || this.isNamed(port));
    const known = new Set(found.flatMap(({ path, byId, byPath }) => [path, ...byId, ...byPath]));
    return [...found, ...[...this.wanted.values()].filter(({ path }) => !known.has(path))];
  }

  /**
   * Somebody names this port. Globs name only what is there.
   * @throws FleetrigError PORT_ADDRESS
   */
  want(path: string): void {
    if (this.wanted.has(path) || this.globs.has(path)) return;
    if (/[*?]/.test(path)) this.globs.add(path);
    else this.wanted.set(path, namedPort(path));
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

  private isNamed({ path, byId, byPath }: AttachedPort): boolean {
    return [path, ...byId, ...byPath].some(
      (name) => this.wanted.has(name) || [...this.globs].some((glob) => globMatches(glob, name)),
    );
  }
}

const isOfMachine = ({ address, usb, virtual }: AttachedPort): boolean =>
  address.kind === "tty" && usb === undefined && virtual === undefined;
