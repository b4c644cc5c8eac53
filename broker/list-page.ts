import { cloudError } from "./cloud-error.js";

/** Which part of a list is wanted; AWS calls the size `maxResults` or `pageSize`. */
export interface ListRequest {
  readonly maxResults?: number;
  /** From the page before. */
  readonly nextToken?: string;
}

/** How a list is ordered and cut. */
export interface PageLayout<Item> {
  /** Unique in the list. */
  readonly nameOf: (item: Item) => string;
  readonly defaultSize: number;
  /** From Z to A. Default false. */
  readonly isDescending?: boolean;
}

export interface ListPage<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

/**
 * A page of items in the order of their names. The token is the last name shown, so that what is created or deleted
 * between two pages neither hides nor repeats anything.
 * @throws FleetrigError `CLOUD_INVALID_REQUEST` for a token that is none.
 */
export function pageByName<Item>(
  items: Iterable<Item>,
  { maxResults, nextToken }: ListRequest,
  { nameOf, defaultSize, isDescending = false }: PageLayout<Item>,
): ListPage<Item> {
  const after = nextToken === undefined ? undefined : decodeToken(nextToken);
  const sign = isDescending ? -1 : 1;
  const compare = (a: string, b: string): number => (a < b ? -sign : a > b ? sign : 0);
  const rest = Array.from(items)
    .filter((item) => after === undefined || compare(nameOf(item), after) > 0)
    .sort((a, b) => compare(nameOf(a), nameOf(b)));
  const shown = rest.slice(0, maxResults ?? defaultSize);
  const last = shown.at(-1);
  const isLast = last === undefined || rest.length === shown.length;
  return { items: shown, nextToken: isLast ? undefined : encodeToken(nameOf(last)) };
}

/**
 * A page of `items` that are only added at the end, or whose order is not that of any name. The token is the position
 * of the next item.
 */
export function pageByPosition<Item>(
  items: readonly Item[],
  { maxResults, nextToken }: ListRequest,
  defaultSize: number,
): ListPage<Item> {
  const from = nextToken === undefined ? 0 : Number.parseInt(decodeToken(nextToken), 10);
  if (!Number.isSafeInteger(from) || from < 0) throw badToken();
  const to = from + (maxResults ?? defaultSize);
  return { items: items.slice(from, to), nextToken: to < items.length ? encodeToken(String(to)) : undefined };
}

const PREFIX = "after:";
const encodeToken = (name: string): string => Buffer.from(PREFIX + name).toString("base64url");

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(PREFIX)) throw badToken();
  return text.slice(PREFIX.length);
}

const badToken = (): Error =>
  cloudError("InvalidRequestException", "The token is not from a page of this list.", {
    hint: "Pass on the token of the page before, unchanged.",
  });
