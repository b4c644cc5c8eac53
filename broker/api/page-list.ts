import { cloudError } from "../cloud-error.js";

/** Which part of a list is wanted; AWS calls the size `maxResults` or `pageSize`. */
export interface ListRequest {
  readonly maxResults?: number;
  readonly nextToken?: string;
}

/**
 * A page of `items` that stand in ascending order of `keyOf`. The token names the last item that was shown, so that
 * what is created or deleted between two pages neither hides nor repeats anything.
 */
export function pageByKey<T>(
  items: readonly T[],
  { maxResults, nextToken }: ListRequest,
  { keyOf, defaultSize }: { readonly keyOf: (item: T) => string; readonly defaultSize: number },
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const after = nextToken === undefined ? undefined : decodeToken(nextToken);
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
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
