import { z } from "zod";
import { block, integer, list, named, number } from "./block.js";
import { message } from "./message.js";
import { duration } from "./quantities.js";

const SHAPES = ["constant", "sine", "random-walk", "sawtooth", "replay", "battery"] as const;
const decimals = integer("Decimals that the sensor reports.", 0, 12).optional();

const signal = z.discriminatedUnion(
  "shape",
  [
    block({ shape: z.literal("constant"), value: number("The value."), decimals }),
    block({
      shape: z.literal("sine"),
      mean: number("Middle of the wave."),
      amplitude: number("From the middle to the crest."),
      period: duration("One full wave."),
      noise: number("Standard deviation of added noise.", 0).optional(),
      decimals,
    }),
    block({
      shape: z.literal("random-walk"),
      start: number("First value."),
      step: number("Largest change per sample.", 0),
      min: number("Lower bound."),
      max: number("Upper bound."),
      decimals,
    }),
    block({
      shape: z.literal("sawtooth"),
      min: number("Value at the start of a period."),
      max: number("Value at its end."),
      period: duration("One tooth."),
      decimals,
    }),
    block({
      shape: z.literal("replay"),
      values: list(number("One value."), "Recorded values, repeated from the start.")
        .min(1, "A replay needs at least one value.")
        .max(4000, "A replay has at most 4,000 values."),
      every: duration("Time between two values."),
      decimals,
    }),
    block({
      shape: z.literal("battery"),
      start: number("Charge at the start in percent.", 0, 100),
      perDay: number("Percent of a full charge lost per day.", 0),
      perSample: number("Percent lost with each reading.", 0),
      decimals,
    }),
  ],
  { error: () => message("Unknown shape of a signal.", `Write shape: ${SHAPES.join(" | ")}.`) },
);

export const signalsBlock = named(signal, "Measured values that replace or extend the model's.");

export type SignalDocument = z.infer<typeof signal>;
