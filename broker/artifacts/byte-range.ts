/** Part of a file that a request wants (RFC 9110 §14). */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * Reads a Range header. One range is served; several at once are answered with the whole file, as S3 does, and so is
 * what cannot be understood.
 * @returns `"unsatisfiable"` for a range that begins behind the end.
 */
export function readRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | "unsatisfiable" | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? "unsatisfiable" : { start: sizeBytes - length, length };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= sizeBytes) return "unsatisfiable";
  const end = last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return { start, length: end - start + 1 };
}
