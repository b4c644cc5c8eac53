import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Clock, FleetrigError, formatDurationUs, hostProcess, US_PER_MS } from "fleetrig/kernel";
import { shownKey } from "../enumerate/board-identity.js";
import { type NumberedTicket, TicketFolder } from "./ticket-folder.js";

/**
 * A *lease* is the right to use a board, by its identity, for one process at a time. Whoever comes later waits in line;
 * a lease ends when it is given back, or with its process, however that ends.
 */
export interface Lease {
  readonly key: string;
  /** Twice is harmless. */
  release(): void;
}

/** Who has a board, and since when. */
export interface LeaseHolder {
  readonly key: string;
  readonly pid: number;
  readonly host: string;
  readonly purpose: string;
  readonly sinceMs: number;
  /** How many wait behind. */
  readonly waiting: number;
}

export interface BoardLeasesOptions {
  /** The same for all that share boards: `leases` in the state folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Name of this machine. */
  readonly host: string;
}

export interface LeaseRequest {
  /** `BoardIdentity.key` */
  readonly key: string;
  /** Shown to whoever waits: the scenario, or the command. */
  readonly purpose: string;
  /** 0: now or not at all. */
  readonly patienceUs: number;
}

const POLL_US = 50 * US_PER_MS;
const MAX_NAME = 200;

export class BoardLeases {
  private readonly folders = new Map<string, TicketFolder>();

  constructor(private readonly options: BoardLeasesOptions) {}

  /**
   * Waits in line for a board, first come, first served.
   * @throws FleetrigError BOARD_LEASED (rejection) when it is not one's turn in time; the hint names the holder
   */
  acquire({ key, purpose, patienceUs }: LeaseRequest): Promise<Lease> {
    const { clock, host } = this.options;
    const folder = this.folderOf(key);
    const ticket = folder.draw({ schema: 1, key, ...hostProcess(), host, purpose, sinceMs: clock.wallMs() });
    const untilUs = clock.nowUs() + patienceUs;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const [first] = folder.living();
        if (first === undefined || first.number === ticket.number) {
          resolve(leaseOf(folder, ticket));
        } else if (clock.nowUs() >= untilUs) {
          folder.giveBack(ticket);
          reject(this.leased(first, patienceUs));
        } else {
          clock.after(Math.min(POLL_US, untilUs - clock.nowUs()), look);
        }
      };
      look();
    });
  }

  /** Boards that somebody has at the moment. */
  holders(): readonly LeaseHolder[] {
    return namesIn(this.options.folder).flatMap((name) => {
      const living = this.folderNamed(name).living();
      const [first] = living;
      if (first === undefined) return [];
      const { key, pid, host, purpose, sinceMs } = first;
      return [{ key, pid, host, purpose, sinceMs, waiting: living.length - 1 }];
    });
  }

  private folderOf(key: string): TicketFolder {
    return this.folderNamed(encodeURIComponent(key).slice(0, MAX_NAME));
  }

  private folderNamed(name: string): TicketFolder {
    const known =
      this.folders.get(name) ?? new TicketFolder(join(this.options.folder, name), this.options.host);
    this.folders.set(name, known);
    return known;
  }

  private leased(first: NumberedTicket, patienceUs: number): FleetrigError {
    const { key, pid, host, purpose } = first;
    const where = host === this.options.host ? "" : ` on ${host}`;
    const waited = patienceUs > 0 ? ` after ${formatDurationUs(patienceUs)}` : "";
    return new FleetrigError("BOARD_LEASED", `Board ${shownKey(key)} is still in use${waited}.`, {
      hint: `${purpose} has it (process ${pid}${where}). It is free when that ends.`,
      context: { key, pid, host, purpose },
    });
  }
}

const leaseOf = (folder: TicketFolder, ticket: NumberedTicket): Lease => ({
  key: ticket.key,
  release: () => folder.giveBack(ticket),
});

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
