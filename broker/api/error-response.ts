import type { FleetrigError } from "fleetrig/kernel";
import type { HttpResponse } from "./http.js";
import { type ServiceName, serviceModel } from "./service-model.js";

/** An error as AWS clients read it: the name in a header, the sentence in the body. */
export function errorResponse(error: FleetrigError, service: ServiceName | undefined): HttpResponse {
  const { awsError, httpStatus, members } = error.context;
  const name = typeof awsError === "string" ? awsError : "InvalidRequestException";
  const status = statusOf(name, service) ?? (typeof httpStatus === "number" ? httpStatus : 400);
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": name },
    body: JSON.stringify({
      message: error.sentence,
      ...(typeof members === "object" && members),
      code: error.code,
      ...(error.hint !== undefined && { hint: error.hint }),
    }),
  };
}

/** Some errors travel on different statuses in different services. */
const statusOf = (name: string, service: ServiceName | undefined): number | undefined =>
  service === undefined ? undefined : serviceModel(service).shapes[name]?.status;
