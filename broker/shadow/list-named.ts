import { SHADOW_ERROR, type ShadowError } from "./errors.js";

/** AWS: ListNamedShadowsForThing. */
export interface ListNamedRequest {
  readonly thing: string;
  /** 1 to 100, default 25. */
  readonly pageSize?: number;
  /** From the page before. */
  readonly nextToken?: string;
}

/** The names in ascending order, or the refusal. */
export type ListNamedResult =
  | {
      readonly ok: true;
      readonly results: readonly string[];
      readonly nextToken?: string;
      /** Epoch seconds. */
      readonly timestamp: number;
    }
  | { readonly ok: false; readonly error: ShadowError };

const DEFAULT_PAGE_SIZE = 25;
const MAX_PAGE_SIZE = 100;
const TOKEN_PREFIX = "after:";

/**
 * One page of `names`, which are in code-unit order (REF §5.6). The token names the last result rather than an
 * index, so that shadows created or deleted between two pages neither repeat nor hide others.
 */
export function listNamedShadows(
  names: readonly string[],
  request: ListNamedRequest,
  timestamp: number,
): ListNamedResult {
  const pageSize = request.pageSize ?? DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    return { ok: false, error: SHADOW_ERROR.invalidPageSize };
  }
  const after = request.nextToken === undefined ? "" : decodeToken(request.nextToken);
  if (after === undefined) return { ok: false, error: SHADOW_ERROR.invalidNextToken };
  const remaining = names.filter((name) => name > after);
  const results = remaining.slice(0, pageSize);
  if (remaining.length === results.length) return { ok: true, results, timestamp };
  return { ok: true, results, nextToken: encodeToken(results.at(-1)!), timestamp };
}

const encodeToken = (name: string): string => Buffer.from(`${TOKEN_PREFIX}${name}`).toString("base64url");

function decodeToken(token: string): string | undefined {
  const text = Buffer.from(token, "base64url").toString();
  return text.startsWith(TOKEN_PREFIX) ? text.slice(TOKEN_PREFIX.length) : undefined;
}
