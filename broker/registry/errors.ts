import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";

export const noSuchThing = (thingName: string): FleetrigError =>
  cloudError("ResourceNotFoundException", `Thing ${thingName} does not exist.`, {
    hint: "Create the thing first, or check the spelling: names are case-sensitive.",
    context: { thingName },
  });

export const noSuchGroup = (thingGroupName: string): FleetrigError =>
  cloudError("ResourceNotFoundException", `Thing group ${thingGroupName} does not exist.`, {
    hint: "Create the thing group first, or check the spelling: names are case-sensitive.",
    context: { thingGroupName },
  });

/** @throws FleetrigError `CLOUD_VERSION_CONFLICT` unless `expected` is absent or the current version. */
export function assertVersion(name: string, expected: number | undefined, version: number): void {
  if (expected === undefined || expected === version) return;
  throw cloudError("VersionConflictException", `${name} has version ${version}, not ${expected}.`, {
    hint: "Describe it again and repeat the change on the current version.",
    context: { name, expectedVersion: expected, version },
  });
}
