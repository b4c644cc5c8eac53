import { z } from "zod";

/**
 * A *line profile*: how to read and write boards that speak neither our link nor MQTT, only lines of text. Regular expressions (RE2's syntax)
 * turn lines into telemetry, reported state and progress of jobs; templates make lines of what the cloud wants. The bench is then the
 * MQTT client in the board's stead.
 */
const pattern = z.string().min(1).max(1_000);
const line = z.string().max(1_024);
/** Names of groups or literals: `{temperature}`, `{1}`. */
const template = z.string().max(4_096);

const valueType = z.enum(["number", "integer", "boolean", "string"]);
const fields = z.record(
  z.string().min(1).max(64),
  z.strictObject({
    /** Number or name of a group of the pattern. */
    group: z.union([z.int().min(0).max(64), z.string().min(1).max(64)]),
    type: valueType.default("number"),
    /** Added after multiplying: 0.1 for tenths. */
    scale: z.number().default(1),
  }),
);

/** What a line means. */
const reading = z.strictObject({
  match: pattern,
  /** `telemetry`: published at once; `state`: kept for the group's telemetry; `reported`: the shadow; `job`: the running execution. */
  as: z.enum(["telemetry", "state", "reported", "job"]),
  /** Values by name, out of the groups. Default: all named groups, as numbers where they are some. */
  values: fields.optional(),
  /** `telemetry`: name of the group's stream that it belongs to; default: the first. */
  stream: z.string().max(128).optional(),
  /** `job`: what the line means for it. */
  status: z.enum(["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"]).optional(),
});

/** What is written when something happens. `{name}` stands for a member of what happened, `{name.inner}` for one within. */
const writing = z.strictObject({
  on: z.enum(["connected", "disconnected", "delta", "job", "message", "set"]),
  /** `message`: topic filter; subscribed to. `{thingName}` is the member's name. */
  topic: z.string().max(256).optional(),
  /** One line, or several; a line whose placeholder has no value is not written. */
  write: z.union([line, z.array(line).max(64)]),
});

export const lineProfileSchema = z.strictObject({
  baud: z.int().min(300).max(12_000_000).default(115_200),
  /** Ends a line that is written. */
  lineEnd: z.enum(["\n", "\r\n", "\r"]).default("\n"),
  /** The line that shows that the firmware runs; without it, any line does. */
  hello: pattern.optional(),
  chip: z.string().max(64).default("unknown"),
  /** Written to ask for `hello`. */
  ask: line.optional(),
  /** Identifies the board where `hello` has a group of this name: its MAC, twelve hexadecimal digits. */
  read: z.array(reading).max(64).default([]),
  write: z.array(writing).max(64).default([]),
  /** Topic of `telemetry` readings without a stream of the group. */
  topic: template.optional(),
});

/** A line profile after parsing. */
export type LineProfile = z.infer<typeof lineProfileSchema>;
