import { FleetrigError, type JsonObject } from "fleetrig/kernel";

/** What a device is told that asked over MQTT (REF §11.3). */
export interface DeviceRefusal {
  readonly statusCode: number;
  readonly errorCode: string;
  readonly errorMessage: string;
}

const refusal = (
  code: string,
  sentence: string,
  context: Omit<DeviceRefusal, "errorMessage">,
): FleetrigError => new FleetrigError(code, sentence, { context: { ...context } });

/** AWS's word for a token that is missing, unknown, used or expired. */
export const invalidToken = (sentence: string): FleetrigError =>
  refusal("PROVISIONING_TOKEN_INVALID", sentence, {
    statusCode: 400,
    errorCode: "InvalidCertificateOwnershipToken",
  });

/** Said in the same words whatever a hook did: what it thinks of a device is not the device's business. */
export const accessDenied = (): FleetrigError =>
  refusal("PROVISIONING_DENIED", "Access denied.", { statusCode: 403, errorCode: "ACCESS_DENIED" });

export const tooMany = (): FleetrigError =>
  refusal("PROVISIONING_THROTTLED", "The rate of provisioning requests is exceeded.", {
    statusCode: 429,
    errorCode: "TooManyRequests",
  });

export const invalidRequest = (sentence: string): FleetrigError =>
  refusal("PROVISIONING_REQUEST_INVALID", sentence, { statusCode: 400, errorCode: "InvalidRequest" });

/** Errors of the services underneath, as devices hear of them. */
const OTHERS: ReadonlyMap<string, Omit<DeviceRefusal, "errorMessage">> = new Map([
  ["PKI_KEYS_EXHAUSTED", { statusCode: 503, errorCode: "ServiceUnavailable" }],
  ["PKI_STOPPED", { statusCode: 503, errorCode: "ServiceUnavailable" }],
]);

/** The refusal that an error means; undefined for a bug. */
export function refusalOf(error: unknown): DeviceRefusal | undefined {
  if (!(error instanceof FleetrigError)) return undefined;
  const { statusCode, errorCode, httpStatus, awsError } = error.context;
  const errorMessage = error.sentence;
  if (typeof statusCode === "number" && typeof errorCode === "string")
    return { statusCode, errorCode, errorMessage };
  if (typeof httpStatus === "number" && typeof awsError === "string")
    return { statusCode: httpStatus, errorCode: awsError.replace(/Exception$/, ""), errorMessage };
  const other = OTHERS.get(error.code);
  return other && { ...other, errorMessage };
}

export const bodyOf = (refused: DeviceRefusal): JsonObject => ({ ...refused });
