import { type Clock, FleetrigError, formatDurationUs, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import { shownKey } from "../enumerate/board-identity.js";
import { type AdapterKind, KIND_POLICIES } from "../enumerate/adapters.js";
import type { ModemLines, Port } from "../port/port.js";
import type { PowerControl } from "../power/power-control.js";
import type { ResetMemory } from "./reset-memory.js";
import { type ResetMethod, type ResetMode, resetMethods, wired } from "./reset-method.js";

/** What shows that a board restarted, and as what. A reset that nothing shows did not happen. */
export type BootEvidence =
  /** The ROM's line with `rst:` and `boot:`. */
  | { readonly kind: "boot"; readonly isDownload: boolean }
  /** `waiting for download` */
  | { readonly kind: "waiting" }
  /** The firmware's hello; another number than before is another start. */
  | { readonly kind: "hello"; readonly bootId: number };

export interface ResetAttempt {
  readonly method: string;
  /** Of lines: what was set, in the language of `parseSequence`, before the wiring is taken into account. */
  readonly train?: string;
  readonly result: "proven" | "silent" | "wrong-mode" | "failed";
  readonly tookUs: number;
  /** What the board showed meanwhile, in words; empty when that was nothing. */
  readonly seen: readonly string[];
  /** Of a failed one. */
  readonly reason?: string;
}

export interface ResetOutcome {
  readonly mode: ResetMode;
  readonly method: string;
  /** From the first step to the proof of the attempt that worked. */
  readonly tookUs: number;
  /** All of them, the one that worked last. */
  readonly attempts: readonly ResetAttempt[];
}

export interface ResetEngineOptions {
  readonly clock: Clock;
  readonly adapter: AdapterKind;
  /** `BoardIdentity.key`, for what is learned. */
  readonly key: string;
  /** The port as it is now; a chip's own USB may come back as another one. Undefined while there is none. */
  readonly port: () => Port | undefined;
  readonly power: PowerControl;
  readonly memory: ResetMemory;
  /** Trains of the user's, instead of the known ones. */
  readonly custom?: { readonly run?: string; readonly download?: string };
  /** How long a board may take to show that it started. Default: 2 s after lines, which are at the chip itself, 5 s after anything else. */
  readonly proofUs?: number;
}

/** Who switches power has capacitors to charge, and who restarts a virtual board a machine to start. */
const PROOF_US: Readonly<Record<ResetMethod["kind"], number>> = {
  lines: 2 * US_PER_S,
  restart: 5 * US_PER_S,
  power: 5 * US_PER_S,
};
/** Capacitors of a board keep it alive for a moment. */
const POWER_OFF_US = 500 * US_PER_MS;

/** A board that restarts for ever shows the same again and again. */
const MAX_SEEN = 8;

/** Waiting for the proof of one attempt. */
interface Expectation {
  readonly mode: ResetMode;
  readonly seen: string[];
  readonly settle: (result: "proven" | "silent" | "wrong-mode") => void;
}

/** Restarts one board, and believes it only when the board shows it. */
export class ResetEngine {
  private expectation: Expectation | undefined;
  private bootId: number | undefined;
  private isTraining = false;
  private lines: ModemLines = { dtr: false, rts: false };
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ResetEngineOptions) {}

  /** What the board's log or link has just shown; tell everything, always. */
  saw(evidence: BootEvidence): void {
    if (evidence.kind !== "hello") {
      this.judge(evidence, evidence.kind === "boot" ? BOOTED[`${evidence.isDownload}`] : WAITS);
      return;
    }
    const before = this.bootId;
    this.bootId = evidence.bootId;
    // A hello that was under way when the reset began has the old number, or comes before the train is done.
    const isLate = before === undefined ? this.isTraining : before === evidence.bootId;
    if (isLate) this.note("a hello of the start before");
    else this.judge(evidence, "a hello of a new start");
  }

  /**
   * Restarts the board into its application, or into the ROM's loader. Requests are done one after the other.
   * @throws FleetrigError BOARD_RESET_UNPROVEN (rejection) when nothing that was tried shows
   */
  reset(mode: ResetMode): Promise<ResetOutcome> {
    const outcome = this.running.then(() => this.tryAll(mode));
    this.running = outcome.catch(() => {});
    return outcome;
  }

  private async tryAll(mode: ResetMode): Promise<ResetOutcome> {
    const { adapter, power, memory, key, custom, clock } = this.options;
    const methods = resetMethods({
      kind: adapter,
      mode,
      custom: custom?.[mode],
      canRestart: power.reset !== undefined,
      canPowerCycle: power.canSwitch && power.switchesSupply,
      learned: memory.recall(key, mode),
    });
    const attempts: ResetAttempt[] = [];
    let hasLines = true;
    for (const method of methods) {
      if (method.kind === "lines" && !hasLines) continue;
      const sinceUs = clock.nowUs();
      const attempt = await this.tryOne(method, mode);
      const tookUs = clock.nowUs() - sinceUs;
      attempts.push({
        method: method.name,
        ...(method.kind === "lines" && { train: method.train }),
        ...attempt.shown,
        tookUs,
      });
      if (attempt.shown.result === "proven") {
        memory.learn(key, mode, method.name);
        return { mode, method: method.name, tookUs, attempts };
      }
      if (attempt.code === "PORT_LINES_UNSUPPORTED") hasLines = false;
    }
    if (hasLines) await this.setLines(KIND_POLICIES[adapter].idle).catch(() => {});
    throw unproven(key, mode, attempts);
  }

  private async tryOne(
    method: ResetMethod,
    mode: ResetMode,
  ): Promise<{ shown: Pick<ResetAttempt, "result" | "seen" | "reason">; code?: string }> {
    const seen: string[] = [];
    const proof = this.expect(mode, seen);
    try {
      await this.carryOut(method, mode);
    } catch (error) {
      const code = error instanceof FleetrigError ? error.code : undefined;
      // The chip's own USB goes away with the chip; it may have restarted all the same.
      if (!this.mayVanish(method, code)) {
        this.expectation = undefined;
        const reason = error instanceof Error ? error.message : String(error);
        return { shown: { result: "failed", seen, reason }, ...(code !== undefined && { code }) };
      }
    }
    const { clock, proofUs = PROOF_US[method.kind] } = this.options;
    const patience = clock.after(proofUs, () => this.expectation?.settle("silent"));
    const result = await proof;
    patience.cancel();
    return { shown: { result, seen } };
  }

  private mayVanish(method: ResetMethod, code: string | undefined): boolean {
    const { adapter } = this.options;
    const isOwnUsb = adapter === "usb-jtag" || adapter === "usb-otg";
    return method.kind === "lines" && isOwnUsb && (code === "PORT_CLOSED" || code === "PORT_NOT_FOUND");
  }

  /** What comes while the train is still under way counts: the ROM speaks before the last step is done. */
  private expect(mode: ResetMode, seen: string[]): Promise<"proven" | "silent" | "wrong-mode"> {
    return new Promise((resolve) => {
      this.expectation = {
        mode,
        seen,
        settle: (result) => {
          this.expectation = undefined;
          resolve(result);
        },
      };
    });
  }

  private note(what: string): void {
    const { seen = [] } = this.expectation ?? {};
    if (seen.length < MAX_SEEN && !seen.includes(what)) seen.push(what);
  }

  private judge(evidence: BootEvidence, words: string): void {
    this.note(words);
    if (this.expectation === undefined) return;
    const { mode, settle } = this.expectation;
    const isDownload = evidence.kind === "waiting" || (evidence.kind === "boot" && evidence.isDownload);
    if (isDownload !== (mode === "download")) settle("wrong-mode");
    // The loader's line comes after that of the ROM, and is the one that proves it.
    else if (mode === "run" || evidence.kind === "waiting") settle("proven");
  }

  private async carryOut(method: ResetMethod, mode: ResetMode): Promise<void> {
    const { power } = this.options;
    if (method.kind === "restart") await power.reset?.(mode);
    else if (method.kind === "power") {
      await power.setPower(false);
      await this.pause(POWER_OFF_US);
      await power.setPower(true);
    } else {
      this.isTraining = true;
      await this.train(method).finally(() => (this.isTraining = false));
    }
  }

  private async train({ steps, wiring, idle }: Extract<ResetMethod, { kind: "lines" }>): Promise<void> {
    let wish = wired(wiring, this.lines);
    for (const step of steps) {
      if (step.kind === "wait") await this.pause(step.us);
      else {
        wish = { ...wish, ...step.lines };
        await this.setLines(wired(wiring, wish));
      }
    }
    await this.setLines(idle);
  }

  private async setLines(lines: ModemLines): Promise<void> {
    const port = this.options.port();
    if (port === undefined) {
      throw new FleetrigError("PORT_NOT_FOUND", "The board's port is away.", {
        hint: "It comes back when the board is plugged in or has power.",
      });
    }
    await port.setLines(lines);
    this.lines = lines;
  }

  private pause(us: number): Promise<void> {
    return new Promise((resolve) => void this.options.clock.after(us, resolve));
  }
}

const WAITS = "its loader, waiting for a download";
const BOOTED = { true: "boot text of its loader", false: "boot text of its application" } as const;

function unproven(key: string, mode: ResetMode, attempts: readonly ResetAttempt[]): FleetrigError {
  const goal = mode === "run" ? "restart" : "start its loader";
  return new FleetrigError(
    "BOARD_RESET_UNPROVEN",
    `Board ${shownKey(key)} did not show that it would ${goal}.`,
    {
      hint:
        attempts.length === 0
          ? "It has neither lines nor a power control that could restart it."
          : `Tried: ${attempts.map(wordsOf).join("; ")}. Hold its BOOT or EN button, or give it a power control.`,
      context: { key, mode, attempts },
    },
  );
}

function wordsOf({ method, train, result, tookUs, seen, reason }: ResetAttempt): string {
  const what = train === undefined ? method : `${method} (${train})`;
  const shown = seen.length === 0 ? "nothing was seen" : `seen: ${seen.join(", ")}`;
  return `${what}: ${result} after ${formatDurationUs(tookUs)}, ${reason ?? shown}`;
}
