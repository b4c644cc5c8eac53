import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { z } from "zod";

/** An object of plain data, bounded in depth by whoever read it. */
export const jsonObject: z.ZodType<JsonObject> = z.custom<JsonObject>(
  (value) => isJsonObject(value as JsonValue),
  "Write an object.",
);
