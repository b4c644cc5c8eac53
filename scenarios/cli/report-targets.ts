import { EXIT, FleetrigError, didYouMean } from "fleetrig/kernel";
import { type RendererName, RENDERERS, type SuiteRecord } from "fleetrig/reports";
import type { Host } from "./host.js";

/** A report to write: `--report junit=out/junit.xml`. */
export interface ReportTarget {
  readonly kind: RendererName;
  readonly path: string;
}

/** What `--report-dir` writes. */
const FOLDER_FILES: readonly (readonly [kind: RendererName, name: string])[] = [
  ["json", "report.json"],
  ["junit", "junit.xml"],
  ["markdown", "summary.md"],
];

export const FOLDER_FILE_NAMES: readonly string[] = FOLDER_FILES.map(([, name]) => name);

/** @throws FleetrigError `CLI_REPORT_KIND` (exit 2) */
export function parseReportTarget(text: string): ReportTarget {
  const separator = text.indexOf("=");
  const kind = separator < 0 ? text : text.slice(0, separator);
  const path = separator < 0 ? "" : text.slice(separator + 1);
  if (!Object.hasOwn(RENDERERS, kind)) {
    throw new FleetrigError("CLI_REPORT_KIND", `There is no report kind "${kind}".`, {
      hint: didYouMean(kind, Object.keys(RENDERERS)) ?? `Kinds: ${Object.keys(RENDERERS).join(", ")}.`,
      exitCode: EXIT.usage,
    });
  }
  if (path === "") {
    throw new FleetrigError("CLI_REPORT_PATH", `--report ${text} names no file.`, {
      hint: `Write --report ${kind}=out/report${RENDERERS[kind as RendererName].extension}.`,
      exitCode: EXIT.usage,
    });
  }
  return { kind: kind as RendererName, path };
}

export const folderTargets = (folder: string): ReportTarget[] =>
  FOLDER_FILES.map(([kind, name]) => ({ kind, path: `${folder.replace(/\/$/, "")}/${name}` }));

/**
 * Writes the reports; in GitHub Actions also the job summary and the annotations. A report that cannot be written
 * keeps no other from being written.
 * @throws FleetrigError `CLI_FILE_UNWRITABLE` (exit 3), the first, after the rest
 */
export function writeReports(host: Host, suite: SuiteRecord, targets: readonly ReportTarget[]): void {
  const summary = host.env["GITHUB_STEP_SUMMARY"] ?? "";
  const writes = [
    ...targets.map(
      ({ kind, path }) =>
        () =>
          host.files.writeFile(path, RENDERERS[kind].render(suite)),
    ),
    () =>
      summary === ""
        ? undefined
        : host.files.writeFile(summary, RENDERERS.markdown.render(suite), { append: true }),
  ];
  const failures = writes.flatMap((write) => thrownBy(write));
  if (host.env["GITHUB_ACTIONS"] === "true") host.stdout.write(RENDERERS.github.render(suite));
  if (failures.length > 0) throw failures[0];
}

function thrownBy(write: () => void): unknown[] {
  try {
    write();
    return [];
  } catch (error) {
    return [error];
  }
}
