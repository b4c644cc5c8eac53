import type { RunRecord, SuiteRecord } from "../record/run-record.js";

/** A suite without what depends on the machine and the moment: equal for equal virtual runs. */
export type ComparableSuite = Omit<SuiteRecord, "runs" | "sweeps"> & {
  readonly runs: readonly Omit<RunRecord, "environment">[];
  readonly sweeps: readonly Omit<SuiteRecord["sweeps"][number], "environment">[];
};

/** Leaves the environment out of every run and sweep. */
export const withoutEnvironment = (suite: SuiteRecord): ComparableSuite => ({
  ...suite,
  runs: suite.runs.map(dropEnvironment),
  sweeps: suite.sweeps.map(dropEnvironment),
});

const dropEnvironment = <T extends { environment: unknown }>(record: T): Omit<T, "environment"> => {
  const { environment, ...rest } = record;
  void environment;
  return rest;
};

/**
 * The record as JSON text. Equal records give equal bytes whatever the order in which they were put together:
 * plain members come before nested ones, each kind in code-unit order of the keys, so that the verdict stands at the
 * top of the file. Lists of plain values stay on one line.
 */
export const renderJson = (suite: SuiteRecord | ComparableSuite): string => `${text(suite, "")}\n`;

function text(value: unknown, indent: string): string {
  if (!isNested(value)) return JSON.stringify(value) ?? "null";
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    if (!value.some(isNested)) return `[${value.map((item) => text(item, indent)).join(", ")}]`;
    return `[\n${value.map((item) => deeper + text(item, deeper)).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(byKindThenKey)
    .map(([key, member]) => `${deeper}${JSON.stringify(key)}: ${text(member, deeper)}`);
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

const isNested = (value: unknown): value is object => typeof value === "object" && value !== null;

type Member = readonly [key: string, member: unknown];
const byKindThenKey = ([a, left]: Member, [b, right]: Member): number =>
  Number(isNested(left)) - Number(isNested(right)) || (a < b ? -1 : 1);
