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
  const exclusive = attachments.filter(({ isExclusive }) => isExclusive).map(({ principal }) => principal);
  // A principal that is no longer attached, or no longer exclusively, is not among them.
  const changed = change.kind === "principal" ? [change.principal] : [];
  access.thingChanged(name, [...new Set([...exclusive, ...changed])]);
}
