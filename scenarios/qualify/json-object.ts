import { isJsonObject, type JsonObject } from "fleetrig/kernel";
import { z } from "zod";

/** An object of plain data, bounded in depth by whoever read it. */
export const jsonObject: z.ZodType<JsonObject> = z.custom<JsonObject>(
  (value) => isJsonObject(value),
  "Write an object.",
);
