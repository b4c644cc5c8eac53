import { FleetrigError, type JsonObject } from "fleetrig/kernel";

/** AWS's errors, with the HTTP status each travels on where a service's model has no other, and our stable code. */
const CATALOGUE = {
  CertificateConflictException: { code: "CLOUD_CERTIFICATE_CONFLICT", httpStatus: 409 },
  CertificateStateException: { code: "CLOUD_CERTIFICATE_STATE", httpStatus: 406 },
  CertificateValidationException: { code: "CLOUD_CERTIFICATE_INVALID", httpStatus: 400 },
  ConflictException: { code: "CLOUD_CONFLICT", httpStatus: 409 },
  ConflictingResourceUpdateException: { code: "CLOUD_CONFLICTING_UPDATE", httpStatus: 409 },
  DeleteConflictException: { code: "CLOUD_DELETE_CONFLICT", httpStatus: 409 },
  ExpiredTokenException: { code: "CLOUD_CREDENTIALS_EXPIRED", httpStatus: 403 },
  ForbiddenException: { code: "CLOUD_FORBIDDEN", httpStatus: 403 },
  GatewayTimeoutException: { code: "CLOUD_GATEWAY_TIMEOUT", httpStatus: 504 },
  IncompleteSignatureException: { code: "CLOUD_SIGNATURE_INCOMPLETE", httpStatus: 400 },
  IndexNotReadyException: { code: "CLOUD_INDEX_NOT_READY", httpStatus: 400 },
  InternalFailureException: { code: "CLOUD_INTERNAL_FAILURE", httpStatus: 500 },
  InvalidAggregationException: { code: "CLOUD_INVALID_AGGREGATION", httpStatus: 400 },
  InvalidQueryException: { code: "CLOUD_INVALID_QUERY", httpStatus: 400 },
  InvalidRequestException: { code: "CLOUD_INVALID_REQUEST", httpStatus: 400 },
  InvalidResponseException: { code: "CLOUD_INVALID_RESPONSE", httpStatus: 400 },
  InvalidSignatureException: { code: "CLOUD_SIGNATURE_INVALID", httpStatus: 403 },
  InvalidStateTransitionException: { code: "CLOUD_INVALID_STATE_TRANSITION", httpStatus: 409 },
  LimitExceededException: { code: "CLOUD_LIMIT_EXCEEDED", httpStatus: 410 },
  MalformedPolicyException: { code: "CLOUD_MALFORMED_POLICY", httpStatus: 400 },
  MethodNotAllowedException: { code: "CLOUD_METHOD_NOT_ALLOWED", httpStatus: 405 },
  MisdirectedRequestException: { code: "CLOUD_MISDIRECTED", httpStatus: 421 },
  MissingAuthenticationTokenException: { code: "CLOUD_SIGNATURE_MISSING", httpStatus: 403 },
  NotConfiguredException: { code: "CLOUD_NOT_CONFIGURED", httpStatus: 404 },
  NotImplementedException: { code: "CLOUD_NOT_IMPLEMENTED", httpStatus: 501 },
  RegistrationCodeValidationException: { code: "CLOUD_REGISTRATION_CODE", httpStatus: 400 },
  RequestEntityTooLargeException: { code: "CLOUD_TOO_LARGE", httpStatus: 413 },
  RequestTimeoutException: { code: "CLOUD_REQUEST_TIMEOUT", httpStatus: 408 },
  ResourceAlreadyExistsException: { code: "CLOUD_ALREADY_EXISTS", httpStatus: 409 },
  ResourceNotFoundException: { code: "CLOUD_NOT_FOUND", httpStatus: 404 },
  ResourceRegistrationFailureException: { code: "CLOUD_REGISTRATION_FAILED", httpStatus: 400 },
  ServiceQuotaExceededException: { code: "CLOUD_SERVICE_QUOTA_EXCEEDED", httpStatus: 402 },
  ServiceUnavailableException: { code: "CLOUD_SERVICE_UNAVAILABLE", httpStatus: 503 },
  SqlParseException: { code: "CLOUD_SQL_INVALID", httpStatus: 400 },
  TaskAlreadyExistsException: { code: "CLOUD_TASK_ALREADY_EXISTS", httpStatus: 400 },
  TerminalStateException: { code: "CLOUD_TERMINAL_STATE", httpStatus: 410 },
  ThrottlingException: { code: "CLOUD_THROTTLED", httpStatus: 429 },
  TransferAlreadyCompletedException: { code: "CLOUD_TRANSFER_COMPLETED", httpStatus: 410 },
  TransferConflictException: { code: "CLOUD_TRANSFER_CONFLICT", httpStatus: 409 },
  UnauthorizedException: { code: "CLOUD_UNAUTHORIZED", httpStatus: 401 },
  UnknownOperationException: { code: "CLOUD_UNKNOWN_OPERATION", httpStatus: 404 },
  UnrecognizedClientException: { code: "CLOUD_CREDENTIALS_UNKNOWN", httpStatus: 403 },
  UnsupportedDocumentEncodingException: { code: "CLOUD_UNSUPPORTED_ENCODING", httpStatus: 415 },
  ValidationException: { code: "CLOUD_VALIDATION", httpStatus: 400 },
  VersionConflictException: { code: "CLOUD_VERSION_CONFLICT", httpStatus: 409 },
  VersionsLimitExceededException: { code: "CLOUD_VERSIONS_LIMIT", httpStatus: 409 },
} as const;

/** Names of the errors that AWS clients know. */
export type CloudErrorName = keyof typeof CATALOGUE;

export interface CloudErrorDetails {
  readonly hint?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  /** What the AWS error has besides its message, such as `resourceArn`. */
  readonly members?: JsonObject;
  readonly cause?: unknown;
}

/**
 * What a cloud service refuses: `cloudError("ResourceNotFoundException", "There is no job x.")`. AWS clients get the
 * name, the status and the sentence; `context.awsError` and `context.httpStatus` carry the former two.
 */
export function cloudError(
  name: CloudErrorName,
  message: string,
  details: CloudErrorDetails = {},
): FleetrigError {
  const { code, httpStatus } = CATALOGUE[name];
  const { hint, context, members, cause } = details;
  return new FleetrigError(code, message, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
    context: { ...context, awsError: name, httpStatus, ...(members !== undefined && { members }) },
  });
}
