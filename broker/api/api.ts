import { type Clock, type EventSink, FleetrigError, type Random } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { Cloud } from "../cloud.js";
import { cloudError } from "../cloud-error.js";
import { uuidV4 } from "../uuid.js";
import { errorResponse } from "./error-response.js";
import type { Caller, HttpRequest, HttpResponse } from "./http.js";
import type { Operation, OperationCatalogue, RequiredAccess } from "./operation.js";
import { parseInput } from "./parse-input.js";
import { renderOutput } from "./render-output.js";
import { type RouteMatch, RouteTable } from "./route-table.js";
import { SERVICE_NAMES, type ServiceName, serviceModel } from "./service-model.js";

/** What the APIs are served from. */
export interface ApiOptions {
  readonly cloud: Cloud;
  readonly operations: OperationCatalogue;
  readonly clock: Clock;
  /** For request ids. */
  readonly random: Random;
  readonly events: EventSink;
  /** May this device do that? Without it no device may do anything here. */
  readonly decide?: (caller: Caller, access: RequiredAccess, sourceIp: string) => boolean;
  /** Resolves once everything that has changed is as durable as it will be; absent where nothing is stored. */
  readonly settled?: () => Promise<void>;
}

/**
 * AWS IoT's APIs in front of the cloud's services: finds the operation, checks the input by the service model, asks
 * whether the caller may, runs the operation, and renders its answer by the model. Whatever comes in, one answer goes out.
 */
export class Api {
  private readonly routes = new RouteTable();

  constructor(private readonly options: ApiOptions) {}

  /** @param caller As far as the gateway could prove it. Never rejects. */
  async handle(request: HttpRequest, caller: Caller): Promise<HttpResponse> {
    const requestId = uuidV4(this.options.random);
    let service: ServiceName | undefined;
    let response: HttpResponse;
    try {
      const match = this.route(request, caller);
      service = match.service;
      response = await this.perform(match, request, caller);
    } catch (error) {
      response = errorResponse(this.presentable(error, requestId), service);
    }
    return { ...response, headers: { ...response.headers, "x-amzn-requestid": requestId } };
  }

  private route(request: HttpRequest, caller: Caller): RouteMatch {
    const { method } = request;
    const [path = ""] = request.target.split("?", 1);
    const match = this.routes.match(method, path, preferredServices(request, caller));
    if (match === undefined)
      throw cloudError("UnknownOperationException", `There is no operation at ${method} ${visible(path)}.`, {
        hint: "The service models of AWS IoT have no such path.",
      });
    if ("methods" in match)
      throw cloudError(
        "MethodNotAllowedException",
        `${visible(path)} has ${match.methods.join(", ")}, not ${method}.`,
      );
    return match;
  }

  private async perform(match: RouteMatch, request: HttpRequest, caller: Caller): Promise<HttpResponse> {
    const { cloud, operations, clock, settled } = this.options;
    const operation = operations[match.service][match.operation];
    if (operation === undefined)
      throw cloudError(
        "NotImplementedException",
        `fleetrig does not have the operation ${match.operation}.`,
        {
          hint: "README.md lists the operations that it has.",
          context: { operation: match.operation },
        },
      );
    this.assertKnown(caller);
    const [, query = ""] = request.target.split("?", 2);
    const input = parseInput(match, request, new URLSearchParams(query));
    this.assertAllowed(operation, input, { match, caller, sourceIp: request.remoteAddress });
    const output = await operation.handle(input, {
      cloud,
      caller,
      account: accountOf(cloud.account, request),
      nowMs: clock.wallMs(),
      sourceIp: request.remoteAddress,
    });
    await settled?.();
    return renderOutput(match, output);
  }

  private assertKnown(caller: Caller): void {
    if (caller.kind === "anonymous")
      throw cloudError("ForbiddenException", "The request shows neither a signature nor a certificate.", {
        hint: "Sign it with one of the configured credentials, or use a client certificate.",
      });
  }

  private assertAllowed(
    operation: Operation,
    input: unknown,
    { match, caller, sourceIp }: { match: RouteMatch; caller: Caller; sourceIp: string },
  ): void {
    if (caller.kind === "operator" || caller.kind === "credentials") return;
    const required = operation.access?.(input);
    if (required === undefined)
      throw cloudError("ForbiddenException", `Devices may not use ${match.operation}.`, {
        hint: "It is part of the control plane.",
      });
    const missing = [required]
      .flat()
      .find((access) => this.options.decide?.(caller, access, sourceIp) !== true);
    if (missing === undefined) return;
    throw cloudError("ForbiddenException", `The policies do not allow ${missing.action}.`, {
      hint: `It needs ${missing.action} on ${missing.resource}.`,
    });
  }

  /** Refusals are for the client to read; anything else is a bug, which is reported under the id that the client sees. */
  private presentable(error: unknown, requestId: string): FleetrigError {
    if (error instanceof FleetrigError && error.context["awsError"] !== undefined) return error;
    const { events, clock } = this.options;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    events.emit({ type: "api.fault", atUs: clock.nowUs(), requestId, detail });
    return cloudError("InternalFailureException", `This is a bug in fleetrig (${requestId}).`, {
      hint: "Please report it with the log's lines for this id.",
    });
  }
}

const SCOPE =
  /Credential=[^/,\s]{1,128}(?:\/|%2F)\d{8}(?:\/|%2F)([a-z0-9-]{1,32})(?:\/|%2F)([a-z0-9-]{1,32})(?:\/|%2F)aws4_request/i;

/** Region and service that a request was signed for. */
function scopeOf({
  headers,
  target,
}: HttpRequest): { readonly region: string; readonly service: string } | undefined {
  const [, region, service] = SCOPE.exec(headers.get("authorization") ?? "") ?? SCOPE.exec(target) ?? [];
  return region === undefined || service === undefined ? undefined : { region, service };
}

const accountOf = (account: Account, request: HttpRequest): Account =>
  account.in(scopeOf(request)?.region ?? account.region);

/** The device's jobs and the operator's have the same paths: signature, host and certificate tell which are meant. */
function preferredServices(request: HttpRequest, caller: Caller): readonly ServiceName[] {
  const scope = scopeOf(request)?.service;
  const signed = SERVICE_NAMES.find((name) => serviceModel(name).signingName === scope);
  if (signed !== undefined) return [signed, ...SERVICE_NAMES];
  if ((request.headers.get("host") ?? "").startsWith("data.jobs.")) return ["iot-jobs-data", "iot-data"];
  return caller.kind === "certificate" || caller.kind === "authorizer"
    ? ["iot-jobs-data", "iot-data"]
    : SERVICE_NAMES;
}

const MAX_SHOWN = 200;
const visible = (path: string): string => JSON.stringify(path.slice(0, MAX_SHOWN)).slice(1, -1);
