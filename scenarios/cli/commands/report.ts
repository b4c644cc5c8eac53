import { EXIT } from "fleetrig/kernel";
import {
  compareSuites,
  parseSuiteRecord,
  renderComparison,
  renderConsole,
  type SuiteRecord,
} from "fleetrig/reports";
import { consoleOptions, type Host } from "../host.js";
import { refuseUsage } from "../load-files.js";
import { folderTargets, parseReportTarget, writeReports } from "../report-targets.js";

export interface ReportCommandOptions {
  readonly report?: readonly string[];
  readonly reportDir?: string;
}

/**
 * `fleetrig report <record> [other]`: renders a record again, or compares two of them.
 * @returns 0; 1 when two comparable records differ; 2 for files that are not records
 */
export function reportCommand(host: Host, files: readonly string[], options: ReportCommandOptions): number {
  const [first, second, ...rest] = files;
  if (first === undefined || rest.length > 0) {
    return refuseUsage(
      host,
      "report needs one record, or two to compare.",
      "Write fleetrig report out/report.json.",
    );
  }
  const suite = readRecord(host, first);
  if (second !== undefined) return compare(host, suite, readRecord(host, second));
  const targets = [
    ...(options.report ?? []).map(parseReportTarget),
    ...(options.reportDir === undefined ? [] : folderTargets(options.reportDir)),
  ];
  writeReports({ ...host, env: {} }, suite, targets);
  if (targets.length === 0) host.stdout.write(renderConsole(suite, consoleOptions(host)));
  return EXIT.passed;
}

const readRecord = (host: Host, file: string): SuiteRecord =>
  parseSuiteRecord(host.files.readFile(file), file);

function compare(host: Host, before: SuiteRecord, after: SuiteRecord): number {
  const comparison = compareSuites(before, after);
  host.stdout.write(renderComparison(comparison, consoleOptions(host)));
  return comparison.isUnchanged ? EXIT.passed : EXIT.failed;
}
