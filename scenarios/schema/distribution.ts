import { z } from "zod";
import { block, list } from "./block.js";
import { message, nameValue } from "./message.js";
import { duration, notADuration } from "./quantities.js";

const DISTRIBUTIONS = ["constant", "uniform", "normal", "lognormal", "exponential", "empirical"] as const;

const shapes = z.discriminatedUnion(
  "dist",
  [
    block({ dist: z.literal("constant"), value: duration("The value.") }),
    block({
      dist: z.literal("uniform"),
      min: duration("Smallest value."),
      max: duration("Largest value."),
    }),
    block({
      dist: z.literal("normal"),
      mean: duration("Mean."),
      stddev: duration("Standard deviation; draws below zero count as zero."),
    }),
    block({
      dist: z.literal("lognormal"),
      median: duration("Median: half of the draws are below."),
      p99: duration("99th percentile."),
    }),
    block({ dist: z.literal("exponential"), mean: duration("Mean.") }),
    block({
      dist: z.literal("empirical"),
      samples: list(duration("One measured value."), "Measured values, drawn with equal probability.")
        .min(1, "An empirical distribution needs at least one sample.")
        .max(10_000, "An empirical distribution has at most 10,000 samples."),
    }),
  ],
  { error: () => message("Unknown distribution.", `Write dist: ${DISTRIBUTIONS.join(" | ")}.`) },
);

/** A random duration: `40ms`, or a block with `dist`. */
export const distribution = (description: string) =>
  z
    .union([duration("Always this long."), shapes], {
      error: (issue) =>
        typeof issue.input === "number" || typeof issue.input === "string"
          ? notADuration(issue.input)
          : message(
              `Expected a duration or a distribution, but found ${nameValue(issue.input)}.`,
              "Write 40ms, or { dist: lognormal, median: 40ms, p99: 180ms }.",
            ),
    })
    .meta({ description });

export type DistributionDocument = z.infer<ReturnType<typeof distribution>>;
