import { cloudError } from "../cloud-error.js";

/** Which part of a list is wanted; AWS calls the size `maxResults` or `pageSize`. */
export interface ListRequest {
  readonly maxResults?: number;
  readonly nextToken?: string;
}

/** How a list is ordered and cut. */
export interface PageLayout<T> {
  readonly keyOf: (item: T) => string;
  readonly defaultSize: number;
  /** Shows the list from its end. Default false. */
  readonly isDescending?: boolean;
}

/**
 * A page of `items` that stand in ascending order of `keyOf`. The token names the last item that was shown, so that
 * what is created or deleted between two pages neither hides nor repeats anything.
 */
export function pageByKey<T>(
  items: readonly T[],
  { maxResults, nextToken }: ListRequest,
  { keyOf, defaultSize, isDescending = false }: PageLayout<T>,
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const after = nextToken === undefined ? undefined : decodeToken(nextToken);
  const ordered = isDescending ? items.toReversed() : items;
  const isBehind = (item: T): boolean =>
    after === undefined || (isDescending ? keyOf(item) < after : keyOf(item) > after);
  const rest = after === undefined ? ordered : ordered.filter(isBehind);
  const page = rest.slice(0, maxResults ?? defaultSize);
  const last = page.at(-1);
  const isLast = last === undefined || page.length === rest.length;
  return { items: page, nextToken: isLast ? undefined : encodeToken(keyOf(last)) };
}

const PREFIX = "after:";
const encodeToken = (key: string): string => Buffer.from(PREFIX + key).toString("base64url");

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(PREFIX))
    throw cloudError("InvalidRequestException", "nextToken is not from a page of this list.");
  return text.slice(PREFIX.length);
}

/**
 * A page of `items` that are only added at the end, or whose order is not that of any key. The token is the position
 * of the next item.
 */
export function pageByPosition<T>(
  items: readonly T[],
  { maxResults, nextToken }: ListRequest,
  defaultSize: number,
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const from = nextToken === undefined ? 0 : Number.parseInt(decodeToken(nextToken), 10);
  if (!Number.isSafeInteger(from) || from < 0)
    throw cloudError("InvalidRequestException", "nextToken is not from a page of this list.");
  const to = from + (maxResults ?? defaultSize);
  return { items: items.slice(from, to), nextToken: to < items.length ? encodeToken(String(to)) : undefined };
}
