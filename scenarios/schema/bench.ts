import { VIRTUAL_BOARD_KINDS } from "fleetrig/hil";
import { z } from "zod";
import { block, choice, integer, list, name, text } from "./block.js";
import { message, nameValue } from "./message.js";

const mac = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2}[:-]?){5}[0-9a-fA-F]{2}$/, {
    error: (issue) =>
      message(`${nameValue(issue.input)} is not a MAC address.`, "Write it like 7c:df:a1:00:11:22."),
  })
  .meta({ description: "MAC address of the board, as fleetrig board list shows it." });

/** Which board; everything that is given must fit. */
const boardSelector = block(
  {
    mac: mac.optional(),
    chip: text("Chip, such as esp32c3.", 64).optional(),
    tags: list(name("Tag of the bench file."), "Tags that the board must all have.").optional(),
    port: text("Device path, a glob, tcp://host:port or rfc2217://host:port.", 512).optional(),
    virtual: choice(VIRTUAL_BOARD_KINDS, "A board that is made for the run.").optional(),
  },
  "Which board: by MAC, chip, tags or port, or a virtual one.",
);

/** Members of the fleet that are boards. */
export const bridge = block({
  id: name("Name of the bridge."),
  board: boardSelector,
  thing: text("Thing that the board is.", 128).optional(),
  group: name("Group whose first members are boards, instead of one thing.").optional(),
  count: integer(
    "How many members of the group; default: all of it, or one where board has a mac.",
    1,
    1000,
  ).optional(),
  path: choice(
    ["bridge", "direct"],
    "bridge: MQTT over the serial line; direct: the board's own network, the line carries commands and logs.",
  ).optional(),
  profile: name("fleetrig (default), micropython, or a line profile of the bench.").optional(),
});

export const benchBlock = block(
  {
    file: text(
      "A bench file: boards with names, tags, power and reset, relative to the scenario.",
      1024,
    ).optional(),
    host: text("Address of this machine for boards with a network of their own.", 255).optional(),
  },
  "The bench that boards hang on.",
);

export type BridgeDocument = z.infer<typeof bridge>;
export type BenchDocument = z.infer<typeof benchBlock>;
