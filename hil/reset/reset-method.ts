import { type AdapterKind, KIND_POLICIES } from "../enumerate/adapters.js";
import type { ModemLines } from "../port/port.js";
import { parseSequence, type SequenceStep } from "./line-sequence.js";
import { DOWNLOAD_SEQUENCES, RESET_SEQUENCES } from "./sequences.js";

export type ResetMode = "run" | "download";

/** How the board's wires differ from the usual ones. */
export type LineWiring = "usual" | "inverted" | "swapped";

/** One way to restart a board. */
export type ResetMethod =
  | {
      readonly kind: "lines";
      readonly name: string;
      readonly train: string;
      readonly steps: readonly SequenceStep[];
      readonly wiring: LineWiring;
      /** Lines afterwards. */
      readonly idle: ModemLines;
    }
  /** The power control restarts the board by itself. */
  | { readonly kind: "restart"; readonly name: "restart" }
  /** Off and on. */
  | { readonly kind: "power"; readonly name: "power" };

const WIRINGS: Readonly<Record<LineWiring, (lines: ModemLines) => ModemLines>> = {
  usual: (lines) => lines,
  inverted: ({ dtr, rts }) => ({ dtr: !dtr, rts: !rts }),
  swapped: ({ dtr, rts }) => ({ dtr: rts, rts: dtr }),
};

/** What the driver has to set for the pins to see `lines`. */
export const wired = (wiring: LineWiring, lines: ModemLines): ModemLines => WIRINGS[wiring](lines);

/** Boards that hang at a bridge may be wired in other ways; the chip's own USB cannot. */
const REWIRED_KINDS: ReadonlySet<AdapterKind> = new Set(["uart-bridge", "uart", "network"]);

export interface MethodChoice {
  readonly kind: AdapterKind;
  readonly mode: ResetMode;
  /** The user's own train instead of all others. */
  readonly custom?: string | undefined;
  readonly canRestart: boolean;
  readonly canPowerCycle: boolean;
  /** Name of what worked the last time. */
  readonly learned?: string | undefined;
}

/** Ways to restart a board, the most promising first. Off and on comes last: it costs the most. */
export function resetMethods(choice: MethodChoice): readonly ResetMethod[] {
  const methods: ResetMethod[] = [...lineMethods(choice)];
  if (choice.canRestart) methods.push({ kind: "restart", name: "restart" });
  // A cold start finds IO0 as it is at rest, so it never leads to the loader.
  if (choice.canPowerCycle && choice.mode === "run") methods.push({ kind: "power", name: "power" });
  const learned = methods.find(({ name }) => name === choice.learned);
  return learned === undefined ? methods : [learned, ...methods.filter((method) => method !== learned)];
}

function lineMethods({ kind, mode, custom }: MethodChoice): readonly ResetMethod[] {
  const { idle, reset, download } = KIND_POLICIES[kind];
  const method = (name: string, sequence: string, wiring: LineWiring): ResetMethod => ({
    kind: "lines",
    name: wiring === "usual" ? name : `${name}-${wiring}`,
    train: sequence,
    steps: parseSequence(sequence),
    wiring,
    idle: wired(wiring, idle),
  });
  if (custom !== undefined) return [method("custom", custom, "usual")];
  const trains: readonly (readonly [string, string])[] =
    mode === "run"
      ? reset.map((name) => [name, RESET_SEQUENCES[name]] as const)
      : download.map((name) => [name, DOWNLOAD_SEQUENCES[name]] as const);
  const usual = trains.map(([name, train]) => method(name, train, "usual"));
  const [first] = trains;
  if (!REWIRED_KINDS.has(kind) || first === undefined) return usual;
  const bridged = mode === "download" ? [method("usb-jtag", DOWNLOAD_SEQUENCES["usb-jtag"], "usual")] : [];
  return [
    ...usual,
    ...bridged,
    method(first[0], first[1], "swapped"),
    method(first[0], first[1], "inverted"),
  ];
}
