import { z } from "zod";
import { block, integer, list, name, text } from "./block.js";
import { share } from "./quantities.js";

/** Which things an action concerns. Random choices come from the seed, so every run picks the same things. */
export const selectionShape = {
  group: name("Name of a fleet group; without it, the whole fleet.").optional(),
  where: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .meta({ description: "Attributes that must be equal." })
    .optional(),
  things: list(text("Thing name.", 128), "Thing names, instead of a group.")
    .min(1, "The list names no thing.")
    .optional(),
  count: integer("How many, drawn at random among those that match.", 1, 1_000_000).optional(),
  percent: share("Which share, drawn at random among those that match.").optional(),
};

export const selection = block(selectionShape).meta({
  id: "selection",
  description: "Which things an action concerns.",
});

export type SelectionDocument = z.infer<typeof selection>;
