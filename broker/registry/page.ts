import { cloudError } from "../cloud-error.js";
import { firstAfter, type Ordered } from "./ordered-view.js";

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
const TOKEN = /^\d{1,15}$/;

/**
 * One page of `rows`, which are sorted. The token is the order of the last row shown, so that deletions between two
 * pages hide nothing.
 */
export function pageOf<Row extends Ordered>(
  rows: readonly Row[],
  request: PageRequest,
  matches: (row: Row) => boolean = () => true,
): Page<Row> {
  const { after, maxResults } = assertPage(request);
  const items: Row[] = [];
  for (let index = firstAfter(rows, after); index < rows.length; index += 1) {
    const row = rows[index]!;
    if (!matches(row)) continue;
    if (items.length === maxResults) return { items, nextToken: String(items.at(-1)!.order) };
    items.push(row);
  }
  return { items };
}

/** @throws FleetrigError `CLOUD_INVALID_REQUEST` for a page that no list has. */
export function assertPage({ maxResults = MAX_RESULTS, nextToken }: PageRequest): {
  readonly after: number;
  readonly maxResults: number;
} {
  const isPage = Number.isInteger(maxResults) && maxResults >= 1 && maxResults <= MAX_RESULTS;
  if (isPage && (nextToken === undefined || TOKEN.test(nextToken)))
    return { after: nextToken === undefined ? -1 : Number(nextToken), maxResults };
  throw cloudError(
    "InvalidRequestException",
    `Page of ${maxResults} after "${nextToken?.slice(0, 40) ?? ""}".`,
    {
      hint: `Use a maxResults from 1 to ${MAX_RESULTS} and the nextToken of the page before.`,
    },
  );
}
