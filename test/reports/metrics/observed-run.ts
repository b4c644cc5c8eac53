import type { RunEvent } from "fleetrig/kernel";
import {
  createObservation,
  evaluateExpectation,
  FULL_TRUST,
  type ObservationOptions,
  parseExpectation,
} from "fleetrig/reports";

export const S = 1_000_000;
export const MS = 1_000;

/** An observation fed by hand, read through the text of expectations' left-hand sides. */
export const observedRun = (
  options: Partial<ObservationOptions> & { fleet?: Record<string, number> } = {},
) => {
  let now = 0;
  const { fleet = { g: 4 }, ...rest } = options;
  const things = Object.entries(fleet).flatMap(([group, count]) =>
    Array.from({ length: count }, (_, i) => ({ name: `${group}${i}`, group })),
  );
  const observation = createObservation({ streams: [], things, nowUs: () => now, ...rest });
  return {
    observation,
    setNow: (us: number) => {
      now = us;
    },
    /** Emits an event now. */
    emit: (atUs: number, event: DistributiveOmit<RunEvent, "atUs">) => {
      now = atUs;
      observation.emit({ ...event, atUs });
    },
    /** Value of `metric{labels} agg`, or the reason why there is none. */
    read: (subject: string): number | boolean | string => {
      const [name] = /^[\w.]+/.exec(subject) ?? [""];
      const result = evaluate(
        `${subject} ${LIMITS.find(([pattern]) => pattern.test(subject))?.[1] ?? "== 0"}`,
        name,
      );
      return result.value ?? result.reason ?? "";
    },
  };

  function evaluate(text: string, name: string) {
    const parsed = parseExpectation(text);
    if (!parsed.ok) throw new TypeError(`${name}: ${parsed.message} ${parsed.hint}`);
    return evaluateExpectation(parsed.expectation, observation.store, FULL_TRUST);
  }
};

/** Any limit of the right unit will do. */
const LIMITS: readonly (readonly [RegExp, string])[] = [
  [/ (?:count)$/, "== 0"],
  [/backoff_grade/, "== jittered"],
  [/job\.status/, "== CANCELED"],
  [/terminal|triggered/, "== true"],
  [/^(?:connections\.online|shadow\.converged|job\.blast_radius|fleet\.firmware|job\.executions)/, "== 0%"],
];

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export const lost = (thing: string, action?: string) =>
  ({ type: "connection.lost", thing, reason: "reset", ...(action === undefined ? {} : { action }) }) as const;

export const opened = (
  thing: string,
  extra: { resumed?: boolean; expected?: boolean; connectUs?: number } = {},
) =>
  ({
    type: "connection.open",
    thing,
    sessionPresent: extra.resumed ?? false,
    resumeExpected: extra.expected ?? false,
    connectUs: extra.connectUs ?? 1000,
  }) as const;

export const attempt = (thing: string) => ({ type: "connection.attempt", thing, attempt: 0 }) as const;

export const action = (id: string, verb: string, things: readonly string[], detail = {}) =>
  ({ type: "action.started", action: id, verb, things, detail }) as const;
