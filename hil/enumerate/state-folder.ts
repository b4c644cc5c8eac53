/** Where fleetrig keeps what several of its processes on this machine share: `boards` (virtual ones), `leases`, `resets`. */
export interface StateFolderHints {
  /** $FLEETRIG_STATE_DIR, when it is set. */
  readonly chosen?: string | undefined;
  /** $XDG_RUNTIME_DIR, when it is set. */
  readonly runtime?: string | undefined;
  readonly temporary: string;
  readonly userId: number;
}

/** Per user: a folder that others can write would let them name ttys of ours. */
export function hostStateFolder({ chosen, runtime, temporary, userId }: StateFolderHints): string {
  if (chosen !== undefined && chosen !== "") return chosen;
  return runtime !== undefined && runtime !== "" ? `${runtime}/fleetrig` : `${temporary}/fleetrig-${userId}`;
}
