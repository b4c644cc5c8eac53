import { cloudError } from "../cloud-error.js";

/** Which page of a list is wanted. */
export interface PageRequest {
  /** 1 to 250, default 250. */
  readonly maxResults?: number;
  /** From the page before. */
  readonly nextToken?: string;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly nextToken?: string;
}

const MAX_RESULTS = 250;

/**
 * One page of `items`, which are in ascending `order`. The token is the order of the last item shown, so that
 * deletions between two pages hide nothing.
 */
export function pageOf<T extends { readonly order: number }>(
  items: Iterable<T>,
  request: PageRequest,
  matches: (item: T) => boolean,
): Page<T> {
  const maxResults = request.maxResults ?? MAX_RESULTS;
  const after = request.nextToken === undefined ? -1 : Number(request.nextToken);
  if (
    !Number.isInteger(maxResults) ||
    maxResults < 1 ||
    maxResults > MAX_RESULTS ||
    !Number.isSafeInteger(after)
  ) {
    throw cloudError("InvalidRequestException", `Page of ${maxResults} after "${request.nextToken ?? ""}".`, {
      hint: `Use a maxResults from 1 to ${MAX_RESULTS} and the nextToken of the page before.`,
    });
  }
  const page: T[] = [];
  for (const item of items) {
    if (item.order <= after || !matches(item)) continue;
    if (page.length === maxResults) return { items: page, nextToken: String(page.at(-1)!.order) };
    page.push(item);
  }
  return { items: page };
}
