import type { ApplicationMessage } from "../message.js";

/** A message is stored once, apart from the queues, when it goes to at least this many sessions in a row. */
const SHARED_FROM = 3;

/** A message that segments refer to, with how many entries still do. */
export class Body {
  isStored = false;
  private references = 0;

  constructor(
    readonly number: number,
    readonly message: ApplicationMessage,
    private readonly idle: Body[],
  ) {}

  get isReferred(): boolean {
    return this.references > 0;
  }

  refer(): void {
    this.references += 1;
  }

  release(): void {
    this.references -= 1;
    if (this.references === 0) this.idle.push(this);
  }
}

/**
 * Messages that are stored once for many sessions. Whether a message becomes one shows while it is fanned out: its
 * receivers are reported one after the other. What nobody refers to any more is deleted with the next commit.
 */
export class BodyTable {
  private readonly byMessage = new Map<ApplicationMessage, Body>();
  private latest: ApplicationMessage | undefined;
  private receivers = 0;
  private lastNumber = 0;
  /** Not written yet. */
  private fresh: Body[] = [];
  /** May have lost their last reference. */
  private readonly idle: Body[] = [];

  /** One more session gets this message. */
  queued(message: ApplicationMessage): void {
    if (message !== this.latest) {
      this.latest = message;
      this.receivers = 1;
      return;
    }
    this.receivers += 1;
    if (this.receivers !== SHARED_FROM || this.byMessage.has(message)) return;
    const body = new Body(this.lastNumber + 1, message, this.idle);
    this.adopt(body);
    this.fresh.push(body);
  }

  /** An entry is written that can refer to the body of this message. @returns undefined when it has none. */
  refer(message: ApplicationMessage): Body | undefined {
    if (this.byMessage.size === 0) return undefined;
    const body = this.byMessage.get(message);
    body?.refer();
    return body;
  }

  /** Takes over what an earlier process stored. */
  restore(number: number, message: ApplicationMessage): Body {
    const body = new Body(number, message, this.idle);
    body.isStored = true;
    this.adopt(body);
    return body;
  }

  /** Numbers up to this one are in use or have been. */
  numberSeen(number: number): void {
    if (number > this.lastNumber) this.lastNumber = number;
  }

  /** Without a reference after the restart: the next commit deletes it. */
  noteIdle(body: Body): void {
    if (!body.isReferred) this.idle.push(body);
  }

  /** Tells which bodies have to be written and which deleted; to be called last in a commit. */
  settle(write: (body: Body) => void, remove: (body: Body) => void): void {
    for (const body of this.fresh) {
      if (body.isReferred) {
        body.isStored = true;
        write(body);
      } else {
        this.byMessage.delete(body.message);
      }
    }
    this.fresh = [];
    for (const body of this.idle) {
      if (body.isReferred || this.byMessage.get(body.message) !== body) continue;
      this.byMessage.delete(body.message);
      if (body.isStored) remove(body);
    }
    this.idle.length = 0;
    this.latest = undefined;
  }

  private adopt(body: Body): void {
    this.byMessage.set(body.message, body);
    this.numberSeen(body.number);
  }
}
