import { type ArnKind, parseArn } from "../../account.js";
import { cloudError } from "../../cloud-error.js";

/** How requests name something: by name, by ARN, or by both if they agree. */
export interface NameOrArn {
  readonly name: string | undefined;
  readonly arn: string | undefined;
}

/** @throws FleetrigError CLOUD_INVALID_REQUEST unless one thing is named. */
export function nameOf(kind: ArnKind, { name, arn }: NameOrArn): string {
  const resource = arn === undefined ? undefined : parseArn(arn);
  const isArn = arn === undefined || resource?.kind === kind;
  const named = name ?? resource?.name;
  if (isArn && named !== undefined && (resource === undefined || resource.name === named)) return named;
  throw cloudError("InvalidRequestException", `The request does not name one ${kind}.`, {
    hint: `Give a name or the ARN of a ${kind}; if both, of the same.`,
  });
}
