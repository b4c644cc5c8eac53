import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { fromRecord, type RecordBook, type RecordTable, toRecord } from "../records/index.js";
import type { CommandExecution } from "./command.js";

/** Executions of commands by id and by target, written down, and dropped when they are too old or too many. */
export class ExecutionTable {
  private readonly table: RecordTable<CommandExecution>;
  private readonly byTarget = new Map<string, Set<CommandExecution>>();

  constructor(
    records: RecordBook,
    private readonly limits: { readonly retentionMs: number; readonly maxExecutions: number },
  ) {
    this.table = records.table<CommandExecution>("command-executions", {
      write: toRecord,
      read: (value: JsonValue) =>
        isJsonObject(value) && typeof value["createdAtMs"] === "number"
          ? (fromRecord(value) as CommandExecution)
          : undefined,
    });
  }

  /** All records are back. */
  restored(): void {
    this.table.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.executionId < b.executionId ? -1 : 1));
    for (const execution of this.table.values()) this.index(execution);
  }

  add(execution: CommandExecution): void {
    this.table.set(execution.executionId, execution);
    this.index(execution);
  }

  changed(execution: CommandExecution): void {
    this.table.changed(execution.executionId);
  }

  find(executionId: string): CommandExecution | undefined {
    return this.table.get(executionId);
  }

  of(targetKind: string, target: string): Iterable<CommandExecution> {
    return this.byTarget.get(`${targetKind}/${target}`) ?? [];
  }

  /** Oldest first. */
  all(): Iterable<CommandExecution> {
    return this.table.values();
  }

  remove(execution: CommandExecution): void {
    this.table.delete(execution.executionId);
    const key = `${execution.targetKind}/${execution.target}`;
    const ofTarget = this.byTarget.get(key);
    ofTarget?.delete(execution);
    if (ofTarget?.size === 0) this.byTarget.delete(key);
  }

  /** What is kept too long, or makes the table too large, oldest first. */
  *expired(nowMs: number): Iterable<CommandExecution> {
    let surplus = this.table.size - this.limits.maxExecutions + 1;
    for (const execution of this.table.values()) {
      if (surplus <= 0 && execution.createdAtMs + this.limits.retentionMs > nowMs) return;
      surplus -= 1;
      yield execution;
    }
  }

  private index(execution: CommandExecution): void {
    const key = `${execution.targetKind}/${execution.target}`;
    const ofTarget = this.byTarget.get(key);
    if (ofTarget === undefined) this.byTarget.set(key, new Set([execution]));
    else ofTarget.add(execution);
  }
}
