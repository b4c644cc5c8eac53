import { cloudError } from "../cloud-error.js";

/** FNV-1a: ties a page's token to the question that it continues. */
function fingerprint(question: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < question.length; at += 1)
    hash = Math.imul(hash ^ question.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** A token for the page that begins at `position` of the answer to `question`. */
export const pageToken = (position: number, question: string): string =>
  `${position.toString(36)}-${fingerprint(question)}`;

/** @throws FleetrigError `CLOUD_INVALID_REQUEST` for a token that is not of this question. */
export function positionOfPage(token: string | undefined, question: string): number {
  if (token === undefined) return 0;
  const [, position = "", print] = /^([0-9a-z]{1,8})-([0-9a-z]{1,8})$/.exec(token) ?? [];
  if (print === fingerprint(question)) return Number.parseInt(position, 36);
  throw cloudError("InvalidRequestException", "The nextToken is not of this request.", {
    hint: "Pass the nextToken of the page before, with the same request.",
  });
}
