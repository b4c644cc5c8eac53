import { type Clock, formatWallTime, type Random } from "fleetrig/kernel";
import type { Caller, HttpRequest, HttpResponse } from "../api/index.js";
import { cloudError } from "../cloud-error.js";
import { splitTarget } from "./canonical-text.js";
import type { CredentialDirectory } from "./credential-directory.js";
import type { RoleAliases } from "./role-aliases.js";

/** What the provider asks about a device. */
export interface DeviceAccess {
  /** Is the certificate attached to this thing? */
  isAttached(certificateId: string, thingName: string): boolean;
  /** Do its policies allow iot:AssumeRoleWithCertificate on the role alias? */
  mayAssume(
    caller: Extract<Caller, { readonly kind: "certificate" }>,
    role: { readonly roleAlias: string; readonly thingName: string | undefined; readonly sourceIp: string },
  ): boolean;
}

export interface CredentialsProviderOptions {
  readonly clock: Pick<Clock, "wallMs">;
  readonly roleAliases: RoleAliases;
  readonly credentials: CredentialDirectory;
  readonly access: DeviceAccess;
  /** Draws keys and tokens that nobody can guess. */
  readonly newSecret: () => string;
  /** Told of every success. */
  readonly issued?: () => void;
  /** For access key ids. */
  readonly random: Random;
}

const PATH = /^\/role-aliases\/([^/]{1,384})\/credentials$/;
const ROLE_ALIAS = /^[\w=,@-]{1,128}$/;
const THING_NAME = /^[\w:-]{1,128}$/;
/** RFC 4648; AWS: access key ids of temporary credentials begin with ASIA. */
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const KEY_DIGITS = 16;

/**
 * `GET /role-aliases/<alias>/credentials`: a device with a certificate gets temporary credentials of a role (REF §1).
 * They are good for signing requests to this server.
 */
export class CredentialsProvider {
  constructor(private readonly options: CredentialsProviderOptions) {}

  /** @returns undefined for requests that are none of the provider's. @throws FleetrigError for the client to read. */
  handle(request: HttpRequest, caller: Caller): HttpResponse | undefined {
    const [, encoded] = PATH.exec(splitTarget(request.target).path) ?? [];
    if (encoded === undefined) return undefined;
    if (request.method !== "GET")
      throw cloudError("MethodNotAllowedException", "Credentials are asked for with GET.");
    if (caller.kind !== "certificate")
      throw cloudError("ForbiddenException", "Credentials are for devices that show their certificate.", {
        hint: "Use one of the doors with TLS, and a client certificate that is registered and ACTIVE.",
      });
    const roleAlias = decoded(encoded);
    if (!ROLE_ALIAS.test(roleAlias))
      throw cloudError("InvalidRequestException", "The path names no role alias.");
    return this.issue(roleAlias, request, caller);
  }

  private issue(
    roleAlias: string,
    { headers, remoteAddress: sourceIp }: HttpRequest,
    caller: Extract<Caller, { readonly kind: "certificate" }>,
  ): HttpResponse {
    const { access, roleAliases, clock } = this.options;
    const thingName = headers.get("x-amzn-iot-thingname");
    if (thingName !== undefined && !THING_NAME.test(thingName))
      throw cloudError("InvalidRequestException", "x-amzn-iot-thingname is no name of a thing.");
    // Who may not assume it learns nothing of whether it exists.
    if (!access.mayAssume(caller, { roleAlias, thingName, sourceIp }))
      throw refused("The policies do not allow iot:AssumeRoleWithCertificate on this role alias.");
    if (thingName !== undefined && !access.isAttached(caller.certificateId, thingName))
      throw refused("The certificate is not attached to the thing in x-amzn-iot-thingname.");
    const { roleArn, credentialDurationSeconds } = roleAliases.get(roleAlias);
    const expiresAtMs = clock.wallMs() + credentialDurationSeconds * 1_000;
    const credentials = this.make(roleArn, caller.certificateId, expiresAtMs);
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ credentials }),
    };
  }

  private make(roleArn: string, sessionName: string, expiresAtMs: number): Readonly<Record<string, string>> {
    const { credentials, newSecret, random, clock } = this.options;
    let accessKeyId = "ASIA";
    for (let digit = 0; digit < KEY_DIGITS; digit += 1) accessKeyId += BASE32[random.below(BASE32.length)];
    const [secretAccessKey, sessionToken] = [newSecret(), newSecret() + newSecret()];
    const arn = `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${sessionName}`;
    this.options.issued?.();
    credentials.issue({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs, arn }, clock.wallMs());
    return { accessKeyId, secretAccessKey, sessionToken, expiration: formatWallTime(expiresAtMs) };
  }
}

const refused = (sentence: string): Error => cloudError("ForbiddenException", sentence);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
