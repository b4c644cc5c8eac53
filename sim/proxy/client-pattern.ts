/** Client identifiers by pattern: `*` stands for any characters, `?` for one; everything else for itself. */

/** Longer patterns are mistakes. */
export const CLIENT_PATTERN_CHARS_MAX = 256;

/** Takes at most pattern x text steps: only the last `*` is ever tried again. */
export function matchesClient(pattern: string, clientId: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < clientId.length) {
    const wanted = pattern[patternAt];
    if (wanted === "*") {
      starAt = patternAt;
      patternAt += 1;
      resumeAt = at;
    } else if (wanted === "?" || wanted === clientId[at]) {
      patternAt += 1;
      at += 1;
    } else if (starAt >= 0) {
      resumeAt += 1;
      at = resumeAt;
      patternAt = starAt + 1;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === "*") patternAt += 1;
  return patternAt === pattern.length;
}
