import type { JsonValue } from "fleetrig/kernel";
import { z } from "zod";
import { message, nameValue } from "./message.js";

/**
 * A block of known keys. An unknown key is an error: ignoring it silently would let a run pass that never tested
 * what its author wrote. The message of that error lists the known keys; the loader turns it into one
 * sentence per key with a suggestion.
 */
export function block<Shape extends z.ZodRawShape>(shape: Shape, description?: string) {
  const known = Object.keys(shape).join(" ");
  const schema = z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === "unrecognized_keys") return known;
      return message(
        `Expected a block of keys, but found ${nameValue(issue.input)}.`,
        `Known keys: ${known.replaceAll(" ", ", ")}.`,
      );
    },
  });
  return description === undefined ? schema : schema.meta({ description });
}

const expected = (noun: string) => ({
  error: (issue: { readonly input?: unknown }) =>
    message(
      issue.input === undefined
        ? `Expected ${noun}, but the key is missing.`
        : `Expected ${noun}, but found ${nameValue(issue.input)}.`,
    ),
});

/** Non-empty text of bounded length. */
export const text = (description: string, maxChars = 1024) =>
  z
    .string(expected("text"))
    .min(1, "The text is empty.")
    .max(maxChars, `The text is longer than ${maxChars} characters.`)
    .meta({ description });

/** Integer in a closed range. */
export const integer = (description: string, min: number, max: number) =>
  z
    .int(expected("a whole number"))
    .min(min, { error: (issue) => `${String(issue.input)} is below the smallest allowed value, ${min}.` })
    .max(max, { error: (issue) => `${String(issue.input)} is above the largest allowed value, ${max}.` })
    .meta({ description });

/** Any finite number, optionally within a closed range. */
export const number = (description: string, min?: number, max?: number) => {
  let schema = z.number(expected("a number"));
  if (min !== undefined)
    schema = schema.min(min, {
      error: (issue) => `${String(issue.input)} is below the smallest allowed value, ${min}.`,
    });
  if (max !== undefined)
    schema = schema.max(max, {
      error: (issue) => `${String(issue.input)} is above the largest allowed value, ${max}.`,
    });
  return schema.meta({ description });
};

export const flag = (description: string) => z.boolean(expected("true or false")).meta({ description });

/** One of a few words; the loader suggests the nearest. */
export const choice = <const Options extends readonly [string, ...string[]]>(
  options: Options,
  description: string,
) =>
  z
    .enum(options, {
      error: (issue) =>
        message(`Expected one of ${options.join(", ")}, but found ${nameValue(issue.input)}.`),
    })
    .meta({ description });

export const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z.array(item, expected("a list")).meta({ description });

/** Names of groups, stages, rules, bridges, profiles: one word, safe in labels of expectations. */
export const name = (description: string) =>
  z
    .string(expected("a name"))
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
      error: (issue) =>
        message(
          `${nameValue(issue.input)} is not a name.`,
          "A name has 1 to 128 letters, digits, dots, dashes or underscores and starts with a letter or digit.",
        ),
    })
    .meta({ description });

/** Any JSON value: payloads, job documents, settings. The loader guarantees that it is plain data. */
export const anyJson = (description: string) => z.custom<JsonValue>().meta({ description });

/** An object with keys of the author's choice. */
export const freeObject = (description: string) =>
  z.record(z.string(), z.custom<JsonValue>(), expected("a block of keys")).meta({ description });

/** A block from names of the author's choice to one kind of value. */
export const named = <Value extends z.ZodType>(value: Value, description: string) =>
  z
    .record(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
        error: (issue) =>
          message(
            `${nameValue(issue.input)} is not a name.`,
            "A name has letters, digits, dots, dashes or underscores and starts with a letter or digit.",
          ),
      }),
      value,
      expected("a block of names"),
    )
    .meta({ description });

export const qos = (description: string) =>
  z
    .literal([0, 1], {
      error: (issue) =>
        message(
          `Expected QoS 0 or 1, but found ${nameValue(issue.input)}.`,
          "AWS IoT refuses QoS 2, and devices of a scenario do not use it.",
        ),
    })
    .meta({ description });
