import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FleetrigError, isRunning } from "fleetrig/kernel";
import { type LeaseTicket, leaseTicketSchema } from "./lease-ticket.js";

const TICKET = /^(\d{10})\.json$/;
const DRAFT = /^draft-/;
const MAX_TRIES = 1_000;

export interface NumberedTicket extends LeaseTicket {
  readonly number: number;
}

/**
 * The tickets for one board, a file each; the lowest one alive has the board. Nobody ever takes a file away that somebody alive may own, so there is
 * nothing to race for when a holder dies. Three rules make it safe:
 * - A ticket gets the number after the highest one, and appears with its content or not at all (a link to a finished draft).
 * - The highest number is never removed, so numbers do not go backwards.
 * - Whoever finds a higher number than their own just-drawn one was slow: the ticket does not count, and another is drawn.
 */
export class TicketFolder {
  private drafts = 0;

  constructor(
    private readonly folder: string,
    private readonly host: string,
  ) {}

  draw(ticket: LeaseTicket): NumberedTicket {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const draft = join(this.folder, `draft-${ticket.pid}-${this.drafts++}`);
    writeFileSync(draft, JSON.stringify(ticket), { mode: 0o600 });
    try {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const number = (this.numbers().at(-1) ?? 0) + 1;
        if (!this.place(draft, number)) continue;
        if (this.numbers().at(-1) === number) return { ...ticket, number };
        rmSync(this.file(number), { force: true });
      }
    } finally {
      rmSync(draft, { force: true });
    }
    throw new FleetrigError("INTERNAL_INVARIANT", `Broken invariant: no ticket to be had in ${this.folder}.`);
  }

  /** Tickets that count, lowest first. Those of dead processes do not, and are swept. */
  living(): readonly NumberedTicket[] {
    const numbers = this.numbers();
    const highest = numbers.at(-1);
    this.sweepDrafts();
    return numbers.flatMap((number) => {
      const ticket = this.readFile(nameOf(number));
      if (ticket !== undefined && this.isAlive(ticket)) return [{ ...ticket, number }];
      if (number !== highest) rmSync(this.file(number), { force: true });
      return [];
    });
  }

  /** Doing so twice is harmless. */
  giveBack(ticket: NumberedTicket): void {
    const file = this.file(ticket.number);
    const draft = join(this.folder, `draft-${ticket.pid}-${this.drafts++}`);
    try {
      writeFileSync(draft, JSON.stringify({ ...ticket, number: undefined, released: true }), { mode: 0o600 });
      renameSync(draft, file);
      this.living();
    } catch {
      // The folder is gone; so is the lease.
    }
  }

  private isAlive(ticket: LeaseTicket): boolean {
    return ticket.released !== true && this.isRunningHere(ticket);
  }

  /** Of processes elsewhere nothing is known, so they are taken to run. */
  private isRunningHere(ticket: LeaseTicket): boolean {
    return ticket.host !== this.host || isRunning(ticket);
  }

  private place(draft: string, number: number): boolean {
    try {
      linkSync(draft, this.file(number));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  private readFile(name: string): LeaseTicket | undefined {
    try {
      return leaseTicketSchema.safeParse(JSON.parse(readFileSync(join(this.folder, name), "utf8"))).data;
    } catch {
      return undefined;
    }
  }

  private numbers(): readonly number[] {
    return this.names()
      .flatMap((name) => {
        const digits = TICKET.exec(name)?.[1];
        return digits === undefined ? [] : [Number(digits)];
      })
      .sort((a, b) => a - b);
  }

  /** What a crash left between writing a draft and using it. Those of the living are on their way, also the ones that say released. */
  private sweepDrafts(): void {
    for (const name of this.names().filter((name) => DRAFT.test(name))) {
      const ticket = this.readFile(name);
      if (ticket !== undefined && !this.isRunningHere(ticket))
        rmSync(join(this.folder, name), { force: true });
    }
  }

  private names(): readonly string[] {
    try {
      return readdirSync(this.folder);
    } catch {
      return [];
    }
  }

  private file(number: number): string {
    return join(this.folder, nameOf(number));
  }
}

const nameOf = (number: number): string => `${String(number).padStart(10, "0")}.json`;
