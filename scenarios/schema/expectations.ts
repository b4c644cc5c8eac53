import { z } from "zod";
import { block, choice, flag, text } from "./block.js";
import { message, nameValue } from "./message.js";
import { duration } from "./quantities.js";

/** An expression may be folded over several lines, which leaves a line break at its end. */
export const expression = (description: string) =>
  text(description, 512).overwrite((written) => written.trimEnd());

const comparison = expression(
  "metric {label=value} aggregate op literal, such as latency.e2e{stage=steady} p(99) < 250ms.",
);

/** `metric op literal`, or the long form. */
export const expectation = z
  .union(
    [
      comparison,
      block({
        expr: comparison,
        name: text("Name in reports, instead of the expression.", 256).optional(),
        severity: choice(["fail", "warn"], "warn reports a miss without failing the run.").optional(),
        abortOnFail: flag(
          "End the run when it fails while the run goes on; looked at every second.",
        ).optional(),
        delayAbortEval: duration("Time of the run before which abortOnFail does not look.").optional(),
        allowEmpty: flag("Pass without samples; otherwise no data is a failure.").optional(),
      }),
    ],
    {
      error: (issue) =>
        message(
          `Expected an expectation, but found ${nameValue(issue.input)}.`,
          "Write metric op literal, such as delivery.lost == 0, or a block with expr.",
        ),
    },
  )
  .meta({ id: "expectation", description: "What must hold, as text or as a block with expr." });

export type ExpectationDocument = z.infer<typeof expectation>;
