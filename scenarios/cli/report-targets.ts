import { EXIT, FleetrigError, didYouMean } from "fleetrig/kernel";
import { type RendererName, RENDERERS, type SuiteRecord } from "fleetrig/reports";
import { REPORT_FORMATS, USUAL_FORMATS } from "../report-formats.js";
import type { Host } from "./host.js";

/** A report to write: `--report junit=out/junit.xml`. */
export interface ReportTarget {
  readonly kind: RendererName;
  readonly path: string;
}

/** Names of the files below `--report-dir`. */
const FOLDER_FILES: Readonly<Record<RendererName, string>> = {
  json: "report.json",
  junit: "junit.xml",
  html: "report.html",
  markdown: "summary.md",
  github: "annotations.txt",
  console: "console.txt",
};

export const USUAL_FILES: readonly string[] = USUAL_FORMATS.map((kind) => FOLDER_FILES[kind]);

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

/** What `--report-dir` writes: every format that one of the scenarios asks for. */
export const folderTargets = (
  folder: string,
  formats: readonly RendererName[] = USUAL_FORMATS,
): ReportTarget[] =>
  REPORT_FORMATS.filter((kind) => formats.includes(kind)).map((kind) => ({
    kind,
    path: `${folder.replace(/\/$/, "")}/${FOLDER_FILES[kind]}`,
  }));

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
