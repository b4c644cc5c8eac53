import { FleetrigError } from "fleetrig/kernel";

/** AWS error names of the registry's API, with the HTTP status each travels on. */
const REGISTRY_ERRORS = {
  REGISTRY_INVALID_REQUEST: { awsError: "InvalidRequestException", httpStatus: 400 },
  REGISTRY_NOT_FOUND: { awsError: "ResourceNotFoundException", httpStatus: 404 },
  REGISTRY_ALREADY_EXISTS: { awsError: "ResourceAlreadyExistsException", httpStatus: 409 },
  REGISTRY_VERSION_CONFLICT: { awsError: "VersionConflictException", httpStatus: 409 },
  REGISTRY_LIMIT_EXCEEDED: { awsError: "LimitExceededException", httpStatus: 410 },
} as const;

/** The codes of the errors that the registry throws. */
export type RegistryErrorCode = keyof typeof REGISTRY_ERRORS;

/** What the registry refuses. `context.awsError` and `context.httpStatus` are what an AWS client expects. */
export const registryError = (
  code: RegistryErrorCode,
  message: string,
  details: { readonly hint: string; readonly context?: Readonly<Record<string, unknown>> },
): FleetrigError =>
  new FleetrigError(code, message, {
    hint: details.hint,
    context: { ...REGISTRY_ERRORS[code], ...details.context },
  });

export const noSuchThing = (thingName: string): FleetrigError =>
  registryError("REGISTRY_NOT_FOUND", `Thing ${thingName} does not exist.`, {
    hint: "Create the thing first, or check the spelling: names are case-sensitive.",
    context: { thingName },
  });

export const noSuchGroup = (thingGroupName: string): FleetrigError =>
  registryError("REGISTRY_NOT_FOUND", `Thing group ${thingGroupName} does not exist.`, {
    hint: "Create the thing group first, or check the spelling: names are case-sensitive.",
    context: { thingGroupName },
  });

/** @throws FleetrigError `REGISTRY_VERSION_CONFLICT` unless `expected` is absent or the current version. */
export function assertVersion(name: string, expected: number | undefined, version: number): void {
  if (expected === undefined || expected === version) return;
  throw registryError("REGISTRY_VERSION_CONFLICT", `${name} has version ${version}, not ${expected}.`, {
    hint: "Describe it again and repeat the change on the current version.",
    context: { name, expectedVersion: expected, version },
  });
}
