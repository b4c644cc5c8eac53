/** One operation on one shadow, from the moment its client asked to the moment it knew. Times on one clock, in ms. */
export type Operation = Span &
  (
    | { readonly kind: "update"; readonly version: number; readonly key: string; readonly value: number }
    /** An update that named a version and was refused because another came first. */
    | { readonly kind: "conflict"; readonly expected: number }
    | { readonly kind: "get"; readonly version: number; readonly state: Readonly<Record<string, number>> }
  );

interface Span {
  readonly beganMs: number;
  readonly endedMs: number;
}

/**
 * Versions claim an order of all operations on a shadow. The history is linearizable by that order when no version is
 * taken twice or left out, nobody who asked after somebody else was answered got an earlier place, and every read saw
 * exactly the writes up to its version.
 * @returns what contradicts that, in words; at most ten of them.
 */
export function violationsOf(history: readonly Operation[]): readonly string[] {
  const found: string[] = [];
  const updates = history
    .filter((operation) => operation.kind === "update")
    .sort((a, b) => a.version - b.version);
  const states: Record<string, number>[] = [{}];
  for (const [index, { version, key, value }] of updates.entries()) {
    if (version !== index + 1)
      return [`version ${index + 1} was given to nobody or twice (found ${version})`];
    states.push({ ...states[index], [key]: value });
  }
  const placed = history.filter((operation) => operation.kind !== "conflict");
  const byEnd = placed.toSorted((a, b) => a.endedMs - b.endedMs);
  let answered = 0;
  let next = 0;
  for (const operation of placed.toSorted((a, b) => a.beganMs - b.beganMs)) {
    while (next < byEnd.length && byEnd[next]!.endedMs < operation.beganMs)
      answered = Math.max(answered, byEnd[next++]!.version);
    const isTooEarly =
      operation.kind === "update" ? operation.version <= answered : operation.version < answered;
    if (isTooEarly)
      found.push(`${operation.kind} at version ${operation.version} began after ${answered} was known`);
  }
  for (const operation of placed) {
    if (operation.kind !== "get") continue;
    const { version, state } = operation;
    if (!isSame(state, states[version] ?? {}))
      found.push(`version ${version} was read with a state that it never had`);
  }
  for (const operation of history) {
    if (operation.kind !== "conflict") continue;
    // The refusal is right if any other version was current at some moment while it was under way.
    const later = updates[operation.expected];
    if (later === undefined || later.beganMs > operation.endedMs)
      found.push(`version ${operation.expected} was refused although nothing had come after it`);
  }
  return found.slice(0, 10);
}

function isSame(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
