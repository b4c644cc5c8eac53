import { z } from "zod";

/**
 * The *control socket* of a virtual board: what a hand at the bench could do to a real one. A unix stream socket; both sides send
 * JSON objects, one per line. The board answers every request with one line, in their order, when it is done.
 *
 *     {"op":"reset"}                        EN low for a moment, or a restart of what runs the board; starts the application
 *     {"op":"reset","mode":"download"}      the same with IO0 low: starts the ROM's loader, where there is one
 *     {"op":"power","on":false}             the supply goes away at once; nothing is tidied
 *     {"op":"power","on":true}              cold start
 *     {"op":"freeze","on":true}             the processor stands still, the tty stays
 *     {"op":"plug","in":false}              the cable is pulled (the board keeps its power)
 *     {"ok":true}                           done
 *     {"ok":false,"error":"unknown-op","message":"sentence"}
 *
 * Errors: `bad-request`, `unknown-op`, `unsupported`, `failed`. Lines are at most 4 KiB; a longer one ends the connection. Any
 * number of connections may be open at the same time; unknown members are ignored.
 */
export const CONTROL_LINE_BYTES = 4096;

const controlRequestSchema = z.discriminatedUnion("op", [
  z.object({ op: z.literal("reset"), mode: z.enum(["run", "download"]).optional() }),
  z.object({ op: z.literal("power"), on: z.boolean() }),
  z.object({ op: z.literal("freeze"), on: z.boolean() }),
  z.object({ op: z.literal("plug"), in: z.boolean() }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;

export const controlAnswerSchema = z.union([
  z.object({ ok: z.literal(true) }),
  z.object({
    ok: z.literal(false),
    error: z.enum(["bad-request", "unknown-op", "unsupported", "failed"]),
    message: z.string().max(1000),
  }),
]);
export type ControlAnswer = z.infer<typeof controlAnswerSchema>;

const OPS: ReadonlySet<unknown> = new Set(
  controlRequestSchema.options.map((option) => option.shape.op.value),
);

/** The board's side: what a line asks for, or the answer to a line that asks for nothing. */
export function readControlRequest(line: string): ControlRequest | ControlAnswer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, error: "bad-request", message: "A request is a JSON object on one line." };
  }
  const parsed = controlRequestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const op = typeof value === "object" && value !== null && "op" in value ? value.op : undefined;
  return typeof op === "string" && !OPS.has(op)
    ? { ok: false, error: "unknown-op", message: "The board does not know this request." }
    : {
        ok: false,
        error: "bad-request",
        message: `Members of ${OPS.has(op) ? String(op) : "a request"} are missing or wrong.`,
      };
}
