import { cloudError } from "../cloud-error.js";

/** Which page of a list by name is wanted. */
export interface NamePageRequest {
  /** 1 to 250, default 250. */
  readonly maxResults?: number;
  /** From the page before. */
  readonly nextToken?: string;
  /** From Z to A. */
  readonly isDescending?: boolean;
}

export interface NamePage<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

/**
 * One page of items in order of their names. The token is the last name shown, in base64, so that what is deleted
 * between two pages hides nothing.
 * @throws {FleetrigError} CLOUD_INVALID_REQUEST for a token that is none
 */
export function pageByName<Item>(
  items: Iterable<Item>,
  nameOf: (item: Item) => string,
  { maxResults = 250, nextToken, isDescending = false }: NamePageRequest,
): NamePage<Item> {
  const after = nextToken === undefined ? undefined : decode(nextToken);
  const sign = isDescending ? -1 : 1;
  const compare = (a: string, b: string): number => (a < b ? -sign : a > b ? sign : 0);
  const rest = Array.from(items)
    .filter((item) => after === undefined || compare(nameOf(item), after) > 0)
    .sort((a, b) => compare(nameOf(a), nameOf(b)));
  const shown = rest.slice(0, maxResults);
  const last = shown.at(-1);
  const isLast = last === undefined || rest.length === shown.length;
  return { items: shown, nextToken: isLast ? undefined : Buffer.from(nameOf(last)).toString("base64") };
}

function decode(token: string): string {
  const name = Buffer.from(token, "base64");
  if (name.length > 0 && name.toString("base64") === token) return name.toString();
  throw cloudError("InvalidRequestException", "The token is not one of this list.", {
    hint: "Pass on the token of the page before, unchanged.",
  });
}
