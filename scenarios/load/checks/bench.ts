import { compileLinePattern } from "fleetrig/hil";
import { FleetrigError } from "fleetrig/kernel";
import type { BridgeDocument } from "../../schema/bench.js";
import type { FleetGroupDocument } from "../../schema/fleet.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import type { Checker } from "./checker.js";
import { checkReference } from "./cloud.js";

/** Which members of the fleet are boards. */
export function checkBench(checker: Checker): void {
  const { bridges = [], fleet } = checker.document;
  checker.uniqueNames(
    bridges.map((bridge, index) => ({ name: bridge.id, path: ["bridges", index, "id"] })),
    "a bridge",
  );
  bridges.forEach((bridge, index) => checkBridge(checker, bridge, ["bridges", index]));
  const bridged = new Set(bridges.flatMap((bridge) => groupOf(fleet, bridge)?.group ?? []));
  fleet.forEach(({ group, requires, model }, index) => {
    if (requires === "hardware" && bridges.length > 0 && !bridged.has(group))
      checker.atKey(["fleet", index, "requires"], {
        code: "SCENARIO_NO_BRIDGE",
        severity: "warning",
        message: `No bridge makes things of the group ${group} boards, so it is always skipped.`,
        hint: `Add a bridge with group: ${group}.`,
      });
    if (model?.startsWith("builtin:") !== false || !bridged.has(group)) return;
    checker.atValue(["fleet", index, "model"], {
      code: "SCENARIO_CONTRADICTION",
      severity: "warning",
      message: `Boards know the built-in models only, so those of ${group} do without ${model}.`,
      hint: "Write builtin:<name>, or leave the behaviour to the board's own firmware and a line profile.",
    });
  });
}

function checkBridge(checker: Checker, bridge: BridgeDocument, path: SourcePath): void {
  const { thing, group, count, board } = bridge;
  const { fleet } = checker.document;
  if ((thing === undefined) === (group === undefined))
    checker.missingIn(path, {
      code: thing === undefined ? "SCENARIO_MISSING_KEY" : "SCENARIO_CONTRADICTION",
      message: `The bridge ${bridge.id} names ${thing === undefined ? "neither a thing nor a group" : "both a thing and a group"}.`,
      hint: "Write thing: board-1, or group: sensors with count: 2.",
    });
  if (Object.values(board).every((value) => value === undefined))
    checker.missingIn([...path, "board"], {
      code: "SCENARIO_MISSING_KEY",
      message: `The bridge ${bridge.id} takes any board.`,
      hint: "Say which: mac, chip, tags, port or virtual; any ESP32-C3 would be board: { chip: esp32c3 }.",
    });
  if (count !== undefined && group === undefined)
    checker.atKey([...path, "count"], {
      code: "SCENARIO_CONTRADICTION",
      message: "count has no effect without group.",
      hint: "A thing is one board.",
    });
  if (count !== undefined && count > 1 && board.mac !== undefined)
    checker.atValue([...path, "count"], {
      code: "SCENARIO_CONTRADICTION",
      message: `A MAC is that of one board, not of ${count}.`,
      hint: "Write a bridge for each board, or choose them by tags or chip.",
    });
  if (board.virtual !== undefined && Object.keys(board).length > 1)
    checker.atKey([...path, "board", "virtual"], {
      code: "SCENARIO_CONTRADICTION",
      message: "A virtual board is made for the run, so nothing else can choose it.",
      hint: "Write virtual alone; boards of fleetrig board virtual are chosen like real ones, by mac, tags or port.",
    });
  const { things, count: size = 1 } = groupOf(fleet, bridge) ?? {};
  if (
    group !== undefined &&
    count !== undefined &&
    groupOf(fleet, bridge) &&
    count > (things?.length ?? size)
  )
    checker.atValue([...path, "count"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The bridge ${bridge.id} wants ${count} members of ${group}, which has ${things?.length ?? size}.`,
      hint: "Lower its count, or raise that of the group.",
    });
  if (group !== undefined)
    checkReference(
      checker,
      { name: group, path: [...path, "group"] },
      { noun: "fleet group", known: fleet.map((one) => one.group) },
    );
  else if (thing !== undefined && groupOf(fleet, bridge) === undefined)
    checker.atValue([...path, "thing"], {
      code: "SCENARIO_DANGLING_REFERENCE",
      message: `No group lists a thing named ${thing}.`,
      hint: suggestion(
        thing,
        fleet.flatMap(({ things = [] }) => things),
      ),
    });
}

const groupOf = (
  fleet: readonly FleetGroupDocument[],
  { group, thing = "" }: BridgeDocument,
): FleetGroupDocument | undefined =>
  fleet.find((one) => (group === undefined ? one.things?.includes(thing) : one.group === group));

/** A pattern that cannot be read would only be noticed when the bench is running. */
export function checkPattern(checker: Checker, pattern: string, path: SourcePath): void {
  try {
    compileLinePattern(pattern);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    checker.atValue(path, {
      code: "SCENARIO_INVALID_VALUE",
      message: error.sentence,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}
