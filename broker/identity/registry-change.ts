import type { RegistryChange } from "../registry/index.js";
import type { AccessControl } from "./access-control.js";
import type { Identity } from "./identity.js";

/** What changes in the registry holds for policies: groups that are gone, and things with other attributes or groups. */
export function applyRegistryChange(
  change: RegistryChange,
  { identity, access }: { readonly identity: Identity; readonly access: AccessControl | undefined },
): void {
  if (change.kind === "group" && change.operation === "deleted") identity.groupDeleted(change.group.name);
  if (access === undefined || !("thing" in change)) return;
  const { name, attachments } = change.thing;
  const principals = attachments.filter(({ isExclusive }) => isExclusive).map(({ principal }) => principal);
  // A principal that is no longer attached is not among them.
  if (change.kind === "principal" && change.operation === "detached") principals.push(change.principal);
  access.thingChanged(name, principals);
}
