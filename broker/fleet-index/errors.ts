import { FleetrigError } from "fleetrig/kernel";

/** AWS's error names of fleet indexing, with our codes and the HTTP status each travels on. */
const CATALOGUE = {
  InvalidQueryException: { code: "INDEX_QUERY_INVALID", httpStatus: 400 },
  InvalidAggregationException: { code: "INDEX_AGGREGATION_INVALID", httpStatus: 400 },
  IndexNotReadyException: { code: "INDEX_NOT_READY", httpStatus: 400 },
  InvalidRequestException: { code: "INDEX_REQUEST_INVALID", httpStatus: 400 },
  ResourceNotFoundException: { code: "INDEX_NOT_FOUND", httpStatus: 404 },
  ResourceAlreadyExistsException: { code: "INDEX_ALREADY_EXISTS", httpStatus: 409 },
  VersionConflictException: { code: "INDEX_VERSION_CONFLICT", httpStatus: 409 },
  LimitExceededException: { code: "INDEX_LIMIT_EXCEEDED", httpStatus: 410 },
} as const;

/** AWS: the errors that fleet indexing answers. */
export type IndexErrorName = keyof typeof CATALOGUE;

/** What may be said besides AWS's name and the sentence. */
export interface IndexErrorDetails {
  readonly hint: string;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** A refusal of fleet indexing; `context.awsError` and `context.httpStatus` are what an AWS client expects. */
export function indexError(
  name: IndexErrorName,
  message: string,
  { hint, context }: IndexErrorDetails,
): FleetrigError {
  const { code, httpStatus } = CATALOGUE[name];
  return new FleetrigError(code, message, { hint, context: { ...context, awsError: name, httpStatus } });
}

/** A query that cannot be read. @param at Where, counted from 0; the message counts from 1. */
export const queryError = (at: number, problem: string, hint: string): FleetrigError =>
  indexError("InvalidQueryException", `Position ${at + 1} of the query: ${problem}.`, {
    hint,
    context: { position: at + 1 },
  });
