import { type Clock, type JsonValue, parseJson, type Random, US_PER_MS } from "fleetrig/kernel";
import { uuidV4 } from "../uuid.js";
import { loadHook } from "./hook-module.js";
import {
  functionNameOf,
  type HookContext,
  type HookFunction,
  type HookTarget,
  type ParsedTarget,
  parseTarget,
} from "./hook-target.js";
import { postHook } from "./http-hook.js";

/** How calls of hooks are bounded. */
export interface HookSettings {
  /** AWS: pre-provisioning hooks and authorizers have 5 s. */
  readonly timeoutMs: number;
  /** JSON text of an answer. AWS Lambda: 6 MB; nothing that is asked here needs more than a fraction. */
  readonly maxAnswerBytes: number;
  /** Calls that have not been answered yet; further ones fail at once. */
  readonly maxPending: number;
  /** May endpoints be on other machines? */
  readonly allowsRemote: boolean;
}

export const DEFAULT_HOOK_SETTINGS: HookSettings = {
  timeoutMs: 5_000,
  maxAnswerBytes: 262_144,
  maxPending: 1_000,
  allowsRemote: false,
};

export interface HookRunnerOptions {
  readonly clock: Clock;
  /** For request ids. */
  readonly random: Random;
  /** Targets by the ARN of the function, or by its name alone. */
  readonly targets?: Readonly<Record<string, HookTarget>>;
  readonly settings?: Partial<HookSettings>;
  /** What paths of modules are relative to. Default: the working directory. */
  readonly baseDirectory?: string;
  /** For the operator's eyes only: clients are never told. */
  readonly onFailure?: (failure: HookFailure) => void;
}

/** Why there is no answer. */
export type HookFailureReason = "unknown" | "busy" | "timeout" | "failed" | "too-large" | "invalid";

export interface HookFailure {
  readonly functionArn: string;
  readonly reason: HookFailureReason;
  /** What the hook or its endpoint said. */
  readonly detail: string;
}

/** How a call ended. */
export type HookOutcome =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly reason: HookFailureReason };

const MAX_ANSWER_DEPTH = 32;
const MAX_DETAIL_CHARS = 300;

/**
 * Calls the functions that stand in for AWS Lambda (REF §11.5, §12). What a hook gets is a copy, what it answers is read as
 * JSON, and what goes wrong inside is its caller's refusal and the operator's log line, never an exception.
 */
export class HookRunner {
  private readonly targets = new Map<string, ParsedTarget>();
  private readonly loaded = new Map<string, Promise<HookFunction>>();
  private readonly functions = new Map<string, HookFunction>();
  private readonly settings: HookSettings;
  private pending = 0;

  /** @throws {FleetrigError} HOOK_TARGET_INVALID */
  constructor(private readonly options: HookRunnerOptions) {
    this.settings = { ...DEFAULT_HOOK_SETTINGS, ...options.settings };
    for (const [name, target] of Object.entries(options.targets ?? {})) this.add(name, target);
  }

  /** @throws {FleetrigError} HOOK_TARGET_INVALID */
  add(name: string, target: HookTarget): void {
    this.targets.set(name, parseTarget(name, target, this.settings.allowsRemote));
  }

  isKnown(functionArn: string): boolean {
    return this.find(functionArn) !== undefined;
  }

  /**
   * Loads all modules, so that what is wrong with them is known before anybody waits for them.
   * @throws {FleetrigError} HOOK_MODULE_FAILED, HOOK_NOT_EXPORTED
   */
  async load(): Promise<void> {
    for (const target of this.targets.values()) if (target.kind === "module") await this.module(target);
  }

  /**
   * Calls the function behind an ARN or a name. `ended` is called exactly once: before this returns where the hook is a
   * function of this process that answers at once, and otherwise later.
   */
  invoke(functionArn: string, event: JsonValue, ended: (outcome: HookOutcome) => void): void {
    const target = this.find(functionArn);
    if (target === undefined) return this.refuse(functionArn, "unknown", ended);
    if (this.pending >= this.settings.maxPending) return this.refuse(functionArn, "busy", ended);
    const call = new HookCall(this.options.clock, this.settings, (outcome, detail) => {
      this.pending -= 1;
      if (!outcome.ok) this.report(functionArn, outcome.reason, detail);
      ended(outcome);
    });
    this.pending += 1;
    const text = JSON.stringify(event);
    if (target.kind === "http") return call.post(target.url, text);
    const run = target.kind === "function" ? target.run : this.functions.get(keyOf(target));
    const context = this.contextOf(functionArn);
    if (run !== undefined) return call.run(run, text, context);
    if (target.kind === "module")
      this.module(target).then(
        (hook) => call.run(hook, text, context),
        (error: unknown) => call.fail("failed", error),
      );
  }

  private refuse(
    functionArn: string,
    reason: HookFailureReason,
    ended: (outcome: HookOutcome) => void,
  ): void {
    const detail = reason === "unknown" ? "No hook has this name." : "Too many calls are under way.";
    this.report(functionArn, reason, detail);
    ended({ ok: false, reason });
  }

  private report(functionArn: string, reason: HookFailureReason, detail: string): void {
    this.options.onFailure?.({ functionArn, reason, detail });
  }

  private find(functionArn: string): ParsedTarget | undefined {
    return this.targets.get(functionArn) ?? this.targets.get(functionNameOf(functionArn));
  }

  private contextOf(functionArn: string): HookContext {
    return {
      functionName: functionNameOf(functionArn),
      invokedFunctionArn: functionArn,
      awsRequestId: uuidV4(this.options.random),
    };
  }

  private async module(target: ParsedTarget & { kind: "module" }): Promise<HookFunction> {
    const key = keyOf(target);
    let loading = this.loaded.get(key);
    if (loading === undefined) {
      loading = loadHook(target, this.options.baseDirectory ?? ".");
      this.loaded.set(key, loading);
    }
    const hook = await loading;
    this.functions.set(key, hook);
    return hook;
  }
}

const keyOf = ({ file, exportName }: ParsedTarget & { kind: "module" }): string =>
  `${file}#${exportName ?? ""}`;

/** One call, which ends once: by an answer, a failure, or its time being up. */
class HookCall {
  private isOpen = true;
  private abandon: (() => void) | undefined;
  private readonly timer;

  constructor(
    clock: Clock,
    private readonly settings: HookSettings,
    private readonly ended: (outcome: HookOutcome, detail: string) => void,
  ) {
    this.timer = clock.after(settings.timeoutMs * US_PER_MS, () =>
      this.fail("timeout", `It did not answer within ${settings.timeoutMs} ms.`),
    );
  }

  post(url: URL, body: string): void {
    const { maxAnswerBytes, allowsRemote } = this.settings;
    this.abandon = postHook(url, { body, maxAnswerBytes, allowsRemote }, (end) => {
      if (end.ok) this.answer(end.body);
      else this.fail(end.reason, end.detail);
    });
  }

  run(hook: HookFunction, event: string, context: HookContext): void {
    if (!this.isOpen) return;
    let value: unknown;
    try {
      value = hook(JSON.parse(event) as JsonValue, context);
    } catch (error) {
      return this.fail("failed", error);
    }
    if (!isPromise(value)) return this.take(value);
    value.then(
      (late) => this.take(late),
      (error: unknown) => this.fail("failed", error),
    );
  }

  fail(reason: HookFailureReason, cause: unknown): void {
    const detail = cause instanceof Error ? cause.message : String(cause);
    this.end({ ok: false, reason }, detail.slice(0, MAX_DETAIL_CHARS));
  }

  private take(value: unknown): void {
    let text: string | undefined;
    try {
      text = JSON.stringify(value) as string | undefined;
    } catch (error) {
      return this.fail("invalid", error);
    }
    this.answer(text ?? "null");
  }

  private answer(text: string): void {
    if (Buffer.byteLength(text) > this.settings.maxAnswerBytes)
      return this.fail("too-large", `It answered more than ${this.settings.maxAnswerBytes} bytes.`);
    const parsed = parseJson(text, MAX_ANSWER_DEPTH);
    if (parsed.ok) this.end({ ok: true, value: parsed.value }, "");
    else this.fail("invalid", "Its answer is not JSON, or nested too deeply.");
  }

  private end(outcome: HookOutcome, detail: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.timer.cancel();
    this.abandon?.();
    this.ended(outcome, detail);
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
