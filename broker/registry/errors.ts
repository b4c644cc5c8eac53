import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";

/** What the registry has, as its sentences call it. */
export type RegisteredKind = "Thing" | "Thing group" | "Thing type" | "Billing group";

export const noSuch = (kind: RegisteredKind, name: string): FleetrigError =>
  cloudError("ResourceNotFoundException", `${kind} ${name} does not exist.`, {
    hint: `Create the ${kind.toLowerCase()} first, or check the spelling: names are case-sensitive.`,
    context: { name },
  });

/** AWS: creating something again succeeds only if nothing about it differs. */
export const existsAlready = (
  kind: RegisteredKind,
  name: string,
  existing: { readonly id: string; readonly arn: string },
): FleetrigError =>
  cloudError("ResourceAlreadyExistsException", `${kind} ${name} already exists and is different.`, {
    hint: `Update the ${kind.toLowerCase()} to change it.`,
    context: { name },
    members: { resourceId: existing.id, resourceArn: existing.arn },
  });

export const invalid = (
  message: string,
  hint: string,
  context: Readonly<Record<string, unknown>> = {},
): FleetrigError => cloudError("InvalidRequestException", message, { hint, context });

export const tooMany = (
  message: string,
  hint: string,
  context: Readonly<Record<string, unknown>> = {},
): FleetrigError => cloudError("LimitExceededException", message, { hint, context });

/** @throws FleetrigError `CLOUD_VERSION_CONFLICT` unless `expected` is absent or the current version. */
export function assertVersion(name: string, expected: number | undefined, version: number): void {
  if (expected === undefined || expected === version) return;
  throw cloudError("VersionConflictException", `${name} has version ${version}, not ${expected}.`, {
    hint: "Describe it again and repeat the change on the current version.",
    context: { name, expectedVersion: expected, version },
  });
}
