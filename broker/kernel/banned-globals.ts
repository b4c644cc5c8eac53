import { FleetrigError } from "./errors.js";

/**
 * In virtual time nothing may read the host's clock or randomness. Lint catches our own code;
 * these stubs catch everything else, device models of users included. They are in place only while a
 * slice of the simulation runs, which is synchronous, so no other code of the process ever sees them.
 */
const banned = (name: string, instead: string) => (): never => {
  violation = { name, instead };
  throw bannedGlobal(violation, "");
};

interface Violation {
  readonly name: string;
  readonly instead: string;
}

/** The latest of the slice that is running. */
let violation: Violation | undefined;

const bannedGlobal = ({ name, instead }: Violation, where: string, cause?: unknown): FleetrigError =>
  new FleetrigError("KERNEL_BANNED_GLOBAL", `${name} was called inside a virtual-time run${where}.`, {
    hint: `Use ${instead}: the result must depend on the seed and the virtual clock alone.`,
    context: { name },
    cause,
  });

/** Libraries in between pack errors into errors of their own: the reader needs the innermost reason, by its code. */
function unpacked(error: unknown): unknown {
  if (violation === undefined || !(error instanceof Error)) return error;
  const found = error.message.indexOf(`${violation.name} was called inside`);
  if (found <= 0) return error;
  const wrapping = error.message.slice(0, found).trimEnd();
  return bannedGlobal(violation, ` (${wrapping.endsWith(":") ? wrapping.slice(0, -1) : wrapping})`, error);
}

const HostDate = Date;

/** `Date` that can still parse and format, but cannot read the host's time. */
const PureDate = new Proxy(HostDate, {
  construct(target, args, newTarget) {
    if (args.length === 0) banned("new Date()", "clock.wallMs()")();
    return Reflect.construct(target, args, newTarget) as object;
  },
  apply: banned("Date()", "clock.wallMs()"),
  get(target, key, receiver) {
    return key === "now"
      ? banned("Date.now", "clock.wallMs()")
      : (Reflect.get(target, key, receiver) as unknown);
  },
});

interface Substitution {
  readonly owner: object;
  readonly key: string;
  readonly stub: unknown;
}

const SUBSTITUTIONS: readonly Substitution[] = [
  { owner: globalThis, key: "Date", stub: PureDate },
  { owner: Math, key: "random", stub: banned("Math.random", "a named random stream") },
  { owner: performance, key: "now", stub: banned("performance.now", "clock.nowUs()") },
  { owner: process, key: "hrtime", stub: banned("process.hrtime", "clock.nowUs()") },
  { owner: globalThis, key: "setTimeout", stub: banned("setTimeout", "clock.after()") },
  { owner: globalThis, key: "setInterval", stub: banned("setInterval", "clock.after()") },
  { owner: globalThis, key: "setImmediate", stub: banned("setImmediate", "clock.after()") },
  { owner: globalThis, key: "queueMicrotask", stub: banned("queueMicrotask", "clock.after()") },
  { owner: globalThis.crypto, key: "randomUUID", stub: banned("crypto.randomUUID", "a named random stream") },
  {
    owner: globalThis.crypto,
    key: "getRandomValues",
    stub: banned("crypto.getRandomValues", "a named random stream"),
  },
];

/**
 * Runs a synchronous slice of a virtual run with the host's time and randomness banned.
 * @throws FleetrigError `KERNEL_BANNED_GLOBAL` from inside `slice` when it uses one of them.
 */
export function withBannedGlobals<T>(slice: () => T): T {
  violation = undefined;
  const saved = SUBSTITUTIONS.map(({ owner, key }) => Object.getOwnPropertyDescriptor(owner, key));
  for (const { owner, key, stub } of SUBSTITUTIONS) {
    Object.defineProperty(owner, key, { value: stub, configurable: true, writable: true });
  }
  try {
    return slice();
  } catch (error) {
    throw unpacked(error);
  } finally {
    SUBSTITUTIONS.forEach(({ owner, key }, index) => {
      const descriptor = saved[index];
      if (descriptor === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, descriptor);
    });
  }
}
