import { FleetrigError } from "fleetrig/kernel";

/** Errors of the control plane, by AWS's names; `context` carries name and HTTP status for front ends. */
const CATALOGUE = {
  InvalidRequestException: { code: "JOBS_INVALID_REQUEST", httpStatus: 400 },
  ResourceNotFoundException: { code: "JOBS_NOT_FOUND", httpStatus: 404 },
  ResourceAlreadyExistsException: { code: "JOBS_ALREADY_EXISTS", httpStatus: 409 },
  InvalidStateTransitionException: { code: "JOBS_INVALID_STATE_TRANSITION", httpStatus: 409 },
  VersionConflictException: { code: "JOBS_VERSION_CONFLICT", httpStatus: 409 },
  LimitExceededException: { code: "JOBS_LIMIT_EXCEEDED", httpStatus: 410 },
  NotImplementedException: { code: "JOBS_UNSUPPORTED", httpStatus: 501 },
} as const;

export type JobsErrorName = keyof typeof CATALOGUE;

export interface JobsErrorDetails {
  readonly hint?: string;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** A refusal of the control plane: `jobsError("ResourceNotFoundException", "There is no job x.")`. */
export function jobsError(
  name: JobsErrorName,
  message: string,
  details: JobsErrorDetails = {},
): FleetrigError {
  const { code, httpStatus } = CATALOGUE[name];
  const context = { ...details.context, awsError: name, httpStatus };
  return new FleetrigError(code, message, details.hint ? { hint: details.hint, context } : { context });
}
