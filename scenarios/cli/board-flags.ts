import { type BoardSelector, normalMac, VIRTUAL_BOARD_KINDS, type VirtualBoardKind } from "fleetrig/hil";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { USUAL_PROFILE } from "../load/normalise-bench.js";
import { suggestion } from "../load/suggest.js";
import type { BridgeSpec, Scenario } from "../scenario.js";

/**
 * Reads `--boards <group>=<which>[,count=n][,path=direct][,profile=name]`: the first members of a group are boards, whatever the
 * file says. `which` is `rv32`, `native`, `micropython`, `mac:...`, `chip:...`, `tag:...` or `port:...`.
 * @throws FleetrigError RUN_BOARDS_FLAG (exit 2)
 */
export function parseBoardFlag(flag: string): BridgeSpec {
  const separator = flag.indexOf("=");
  const [which = "", ...settings] = flag.slice(separator + 1).split(",");
  const group = flag.slice(0, separator);
  if (separator < 1) throw notUnderstood(flag, "no group stands before a =");
  const select = selectorOf(which);
  if (select === undefined) throw notUnderstood(flag, `"${which}" chooses no board`);
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
    else throw notUnderstood(flag, `"${setting}" is no count above 0, path (bridge, direct) or profile`);
  }
  if (select.mac !== undefined && (bridge.members.count ?? 1) > 1)
    throw notUnderstood(flag, "a MAC is that of one board");
  return bridge;
}

/**
 * Reads the flags for a scenario that must have the groups that they name.
 * @throws FleetrigError RUN_BOARDS_FLAG (exit 2)
 */
export function requireGroups(file: string, { fleet }: Scenario, flags: readonly string[]): void {
  for (const flag of flags) {
    const { members } = parseBoardFlag(flag);
    if (!("group" in members)) continue;
    const { group: wanted, count = 1 } = members;
    const found = fleet.find(({ group }) => group === wanted);
    const names = fleet.map(({ group }) => group);
    if (found === undefined)
      throw refused(`--boards ${flag}: ${file} has no group ${wanted}.`, suggestion(wanted, names));
    const size = found.things?.length ?? found.count;
    if (count > size)
      throw refused(
        `--boards ${flag}: the group ${wanted} of ${file} has ${size} members.`,
        "Lower count, or raise that of the group.",
      );
  }
}

const SELECTORS: Readonly<Record<string, (value: string) => BoardSelector | undefined>> = {
  mac: (value) => {
    const mac = normalMac(value);
    return mac === undefined ? undefined : { mac };
  },
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

const notUnderstood = (flag: string, why: string): FleetrigError =>
  refused(
    `--boards ${flag} is not understood: ${why}.`,
    "Write --boards sensors=rv32,count=2 (or native, micropython), or =mac:7c:df:a1:00:11:22, =tag:lab, =chip:esp32c3, =port:/dev/ttyUSB0.",
  );

const refused = (sentence: string, hint: string): FleetrigError =>
  new FleetrigError("RUN_BOARDS_FLAG", sentence, { hint, exitCode: EXIT.usage });
