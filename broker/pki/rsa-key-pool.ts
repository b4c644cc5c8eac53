import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type NewKeyPair, newRsaKeyPair } from "./key-pair.js";

/** Keys that lie ready once somebody has asked for one: who asks for few does not wait, who asks for none pays nothing. */
const READY = 4;
/** Threads of Node that may be at it; files and names need the others. */
const AT_ONCE = 2;
/** Who comes after so many is sent away: at 7 keys per second and core they would wait for minutes. */
const MAX_WAITING = 1_000;

interface Waiting {
  readonly give: (pair: NewKeyPair) => void;
  readonly fail: (error: unknown) => void;
}

const exhausted = (): FleetrigError =>
  new FleetrigError("PKI_KEYS_EXHAUSTED", `${MAX_WAITING} requests wait for RSA keys already.`, {
    hint: "Ask for EC keys, send certificate signing requests, or ask more slowly.",
    context: { awsError: "ThrottlingException", httpStatus: 429 },
    exitCode: EXIT.environment,
  });

const stopped = (): FleetrigError =>
  new FleetrigError("PKI_STOPPED", "The certificate authority has been stopped and makes no RSA keys.", {
    hint: "Ask before it is stopped; EC keys need no waiting.",
    context: { awsError: "ServiceUnavailableException", httpStatus: 503 },
    exitCode: EXIT.environment,
  });

/** RSA key pairs, generated in the background ahead of need. */
export class RsaKeyPool {
  readonly #ready: NewKeyPair[] = [];
  private readonly waiting: Waiting[] = [];
  private generating = 0;
  private isStopped = false;

  /** A key pair at once when one is ready. @throws FleetrigError PKI_KEYS_EXHAUSTED, PKI_STOPPED */
  take(): NewKeyPair | Promise<NewKeyPair> {
    if (this.isStopped) throw stopped();
    const pair = this.#ready.pop();
    if (pair === undefined && this.waiting.length >= MAX_WAITING) throw exhausted();
    const taken = pair ?? new Promise<NewKeyPair>((give, fail) => this.waiting.push({ give, fail }));
    this.refill();
    return taken;
  }

  /** Nothing is generated any more; who waits is sent away. */
  stop(): void {
    this.isStopped = true;
    this.#ready.length = 0;
    for (const { fail } of this.waiting.splice(0)) fail(stopped());
  }

  private refill(): void {
    const wanted = this.isStopped ? 0 : this.waiting.length + READY - this.#ready.length;
    while (this.generating < Math.min(wanted, AT_ONCE)) {
      this.generating += 1;
      void this.generate();
    }
  }

  private async generate(): Promise<void> {
    try {
      const pair = await newRsaKeyPair();
      const first = this.waiting.shift();
      if (first !== undefined) first.give(pair);
      else if (!this.isStopped) this.#ready.push(pair);
    } catch (error) {
      this.waiting.shift()?.fail(error);
    }
    this.generating -= 1;
    this.refill();
  }
}
