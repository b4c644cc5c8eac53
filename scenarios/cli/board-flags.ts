import { type BoardSelector, VIRTUAL_BOARD_KINDS, type VirtualBoardKind } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { USUAL_PROFILE } from "../load/normalise-bench.js";
import type { BridgeSpec } from "../scenario.js";

/**
 * Reads `--boards <group>=<which>[,count=n][,path=direct][,profile=name]`: the first members of a group are boards, whatever the
 * file says. `which` is `rv32`, `native`, `micropython`, `mac:...`, `chip:...`, `tag:...` or `port:...`.
 * @throws FleetrigError RUN_BOARDS_FLAG (exit 2)
 */
export function parseBoardFlag(flag: string): BridgeSpec {
  const separator = flag.indexOf("=");
  const [which = "", ...settings] = flag.slice(separator + 1).split(",");
  const group = flag.slice(0, separator);
  const select = selectorOf(which);
  if (separator < 1 || select === undefined) throw notUnderstood(flag);
  const bridge = {
    id: `boards:${flag}`,
    members: { group, count: undefined as number | undefined },
    select,
    path: "bridge" as "bridge" | "direct",
    profile: which === "micropython" ? which : USUAL_PROFILE,
    isRequired: true,
  };
  for (const setting of settings) {
    const [name = "", value = ""] = setting.split("=");
    if (name === "count" && /^\d{1,4}$/.test(value) && Number(value) > 0)
      bridge.members.count = Number(value);
    else if (name === "path" && (value === "bridge" || value === "direct")) bridge.path = value;
    else if (name === "profile" && value !== "") bridge.profile = value;
    else throw notUnderstood(flag);
  }
  return bridge;
}

const SELECTORS: Readonly<Record<string, (value: string) => BoardSelector>> = {
  mac: (value) => ({ mac: value.replaceAll(/[:-]/g, "").toLowerCase() }),
  chip: (chip) => ({ chip }),
  tag: (tag) => ({ tags: [tag] }),
  port: (port) => ({ port }),
};

function selectorOf(which: string): BoardSelector | undefined {
  if ((VIRTUAL_BOARD_KINDS as readonly string[]).includes(which))
    return { virtual: which as VirtualBoardKind };
  const colon = which.indexOf(":");
  const kind = which.slice(0, Math.max(0, colon));
  const value = which.slice(colon + 1);
  return Object.hasOwn(SELECTORS, kind) && value !== "" ? SELECTORS[kind]?.(value) : undefined;
}

const notUnderstood = (flag: string): FleetrigError =>
  new FleetrigError("RUN_BOARDS_FLAG", `--boards ${flag} is not understood.`, {
    hint: "Write --boards sensors=rv32,count=2 or --boards sensors=mac:7c:df:a1:00:11:22,path=direct.",
    exitCode: EXIT.usage,
  });
