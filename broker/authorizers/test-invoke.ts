import { cloudError } from "../cloud-error.js";
import type { Authorization } from "./authorizer-response.js";
import type { AuthorizationFailure, CustomAuthorization } from "./custom-authorization.js";
import { type Presented, PresentedValues } from "./presented-credentials.js";

/** AWS: TestInvokeAuthorizer. */
export interface TestInvokeRequest {
  readonly authorizerName: string;
  readonly token?: string;
  readonly tokenSignature?: string;
  readonly httpContext?: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly queryString?: string;
  };
  readonly mqttContext?: {
    readonly username?: string;
    readonly password?: Uint8Array;
    readonly clientId?: string;
  };
  readonly tlsContext?: { readonly serverName?: string };
}

/**
 * Asks an authorizer as if a client had come with what the request says.
 * @returns undefined where the authorizer says no.
 * @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST, CLOUD_INVALID_RESPONSE, as a rejection
 */
export function testInvoke(
  custom: CustomAuthorization,
  request: TestInvokeRequest,
): Promise<Authorization | undefined> {
  return new Promise((resolve, reject) => {
    const authorizer = custom.store.get(request.authorizerName);
    const presented = presentedIn(request);
    const values = new PresentedValues(presented);
    const { tokenKeyName } = authorizer;
    const token = request.token ?? (tokenKeyName === undefined ? undefined : values.find(tokenKeyName));
    const signature = request.tokenSignature ?? values.signature;
    custom.askWith(authorizer, { presented, token, signature }, (verdict) => {
      if (verdict.ok) resolve(verdict.authorization);
      else if (verdict.failure === "denied") resolve(undefined);
      else reject(cloudError(ERRORS[verdict.failure], verdict.explanation));
    });
  });
}

const ERRORS = {
  credentials: "InvalidRequestException",
  hook: "InvalidResponseException",
  response: "InvalidResponseException",
} as const satisfies Record<Exclude<AuthorizationFailure, "denied">, string>;

function presentedIn({ httpContext, mqttContext, tlsContext }: TestInvokeRequest): Presented {
  const { headers = {}, queryString = "" } = httpContext ?? {};
  return {
    isSecure: tlsContext !== undefined,
    serverName: tlsContext?.serverName,
    http: httpContext && {
      target: `?${queryString.replace(/^\?/, "")}`,
      headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    },
    mqtt: mqttContext && {
      username: mqttContext.username,
      password: mqttContext.password,
      clientId: mqttContext.clientId,
    },
  };
}
