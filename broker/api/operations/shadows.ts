import { type CloudErrorName, cloudError } from "../../cloud-error.js";
import type { ShadowError, ShadowKey, ShadowResult } from "../../shadow/index.js";
import { type OperationOutput, operation, type OperationTable, type RequiredAccess } from "../operation.js";

interface ShadowInput {
  readonly thingName: string;
  readonly shadowName?: string;
}

interface UpdateInput extends ShadowInput {
  readonly payload: Uint8Array;
}

interface ListInput {
  readonly thingName: string;
  readonly nextToken?: string;
  readonly pageSize?: number;
}

const ERROR_NAMES: ReadonlyMap<number, CloudErrorName> = new Map([
  [404, "ResourceNotFoundException"],
  [409, "ConflictException"],
  [413, "RequestEntityTooLargeException"],
  [415, "UnsupportedDocumentEncodingException"],
  [429, "ThrottlingException"],
] as const);

const keyOf = ({ thingName, shadowName }: ShadowInput): ShadowKey => ({ thing: thingName, shadowName });

const onShadow =
  (action: string) =>
  ({ thingName, shadowName }: ShadowInput): RequiredAccess => ({
    action: `iot:${action}`,
    resource: shadowName === undefined ? `thing/${thingName}` : `thing/${thingName}/${shadowName}`,
  });

const refused = ({ code, message }: ShadowError): Error =>
  cloudError(ERROR_NAMES.get(code) ?? "InvalidRequestException", message);

function documentOf(result: ShadowResult): OperationOutput {
  if (!result.ok) throw refused(result.error);
  return { payload: Buffer.from(JSON.stringify(result.body())) };
}

const NO_PAYLOAD = new Uint8Array();

/** Device shadows over HTTP (REF §5.6): what succeeds is published as if it had come over MQTT. */
export const shadowOperations: OperationTable = {
  GetThingShadow: operation<ShadowInput>(
    (input, { cloud }) => documentOf(cloud.shadows.request(keyOf(input), "get", NO_PAYLOAD)),
    { access: onShadow("GetThingShadow") },
  ),
  UpdateThingShadow: operation<UpdateInput>(
    (input, { cloud }) => documentOf(cloud.shadows.request(keyOf(input), "update", input.payload)),
    { access: onShadow("UpdateThingShadow") },
  ),
  DeleteThingShadow: operation<ShadowInput>(
    (input, { cloud }) => documentOf(cloud.shadows.request(keyOf(input), "delete", NO_PAYLOAD)),
    { access: onShadow("DeleteThingShadow") },
  ),
  ListNamedShadowsForThing: operation<ListInput>(
    ({ thingName, ...page }, { cloud }) => {
      const result = cloud.shadows.listNamed({ thing: thingName, ...page });
      if (!result.ok) throw refused(result.error);
      const { results, nextToken, timestamp } = result;
      return { results, nextToken, timestamp };
    },
    { access: () => ({ action: "iot:ListNamedShadowsForThing", resource: "*" }) },
  ),
};
