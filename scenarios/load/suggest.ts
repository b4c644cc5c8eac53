import { nearestName } from "fleetrig/kernel";

const MAX_LISTED = 12;

/** A hint for a name that does not exist: the nearest one, or the list of what there is. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `Did you mean ${nearest}?`;
  if (known.length === 0) return "There is none.";
  const rest = known.length - MAX_LISTED;
  return `Known: ${known.slice(0, MAX_LISTED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}.`;
}
