import type { JobExecution } from "./job.js";

/** IN_PROGRESS before QUEUED, then the older first (REF §6.6); ties by the order they were queued in. */
function isBefore(a: JobExecution, b: JobExecution): boolean {
  if (a.status !== b.status) return a.status === "IN_PROGRESS";
  if (a.queuedAtMs !== b.queuedAtMs) return a.queuedAtMs < b.queuedAtMs;
  return a.ordinal < b.ordinal;
}

const NOTHING: readonly JobExecution[] = [];

/** The pending executions of every thing, each list in the order a device works through it. */
export class PendingExecutions {
  private readonly byThing = new Map<string, JobExecution[]>();

  of(thing: string): readonly JobExecution[] {
    return this.byThing.get(thing) ?? NOTHING;
  }

  /** What start-next returns and notify-next announces. */
  first(thing: string): JobExecution | undefined {
    return this.byThing.get(thing)?.[0];
  }

  add(execution: JobExecution): void {
    const list = this.byThing.get(execution.thing);
    if (list === undefined) {
      this.byThing.set(execution.thing, [execution]);
      return;
    }
    let at = list.length;
    while (at > 0 && isBefore(execution, list[at - 1]!)) at -= 1;
    list.splice(at, 0, execution);
  }

  remove(execution: JobExecution): void {
    const list = this.byThing.get(execution.thing);
    const at = list?.indexOf(execution) ?? -1;
    if (list === undefined || at === -1) return;
    if (list.length === 1) this.byThing.delete(execution.thing);
    else list.splice(at, 1);
  }

  /** Moves an execution to its place after its status has changed. */
  reorder(execution: JobExecution): void {
    this.remove(execution);
    this.add(execution);
  }
}
