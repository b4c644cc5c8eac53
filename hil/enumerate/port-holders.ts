import type { SystemFiles } from "./system-files.js";

/** A program that has a port open. */
export interface PortHolder {
  readonly program: string;
  readonly pid: number;
}

export interface PortHolders {
  readonly byPath: ReadonlyMap<string, readonly PortHolder[]>;
  /** Processes whose files this user may not see. */
  readonly unseen: number;
}

/** Processes looked at for open ports. */
const MAX_PROCESSES = 50_000;

/** Numbers of the processes there are, as text. */
export const processesOf = (files: SystemFiles): readonly string[] =>
  files
    .list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .slice(0, MAX_PROCESSES);

/** Who has which of these ports open. Processes of others show their files to root only. */
export function portHolders(ports: readonly string[], files: SystemFiles): PortHolders {
  const paths = new Set(ports);
  const byPath = new Map<string, PortHolder[]>();
  let unseen = 0;
  for (const pid of paths.size === 0 ? [] : processesOf(files)) {
    const handles = files.list(`/proc/${pid}/fd`);
    if (handles.length === 0) unseen += 1;
    const open = new Set(handles.map((handle) => files.link(`/proc/${pid}/fd/${handle}`) ?? ""));
    for (const path of open) {
      if (!paths.has(path)) continue;
      const program = files.read(`/proc/${pid}/comm`) ?? "?";
      byPath.set(path, [...(byPath.get(path) ?? []), { program, pid: Number(pid) }]);
    }
  }
  return { byPath, unseen };
}
