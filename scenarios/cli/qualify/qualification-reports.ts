import { EXIT, FleetrigError } from "fleetrig/kernel";
import { renderCase, renderSummary } from "../../qualify/render/console-table.js";
import { renderQualificationJunit } from "../../qualify/render/junit.js";
import { renderQualificationPage } from "../../qualify/render/page.js";
import type { QualificationRecord } from "../../qualify/qualification-record.js";
import type { Host } from "../host.js";

/** Kinds of reports, and their files below `--report-dir`. */
const REPORTS: Readonly<
  Record<string, { readonly file: string; readonly render: (record: QualificationRecord) => string }>
> = {
  json: { file: "qualification.json", render: (record) => `${JSON.stringify(record, undefined, 2)}\n` },
  junit: { file: "qualification-junit.xml", render: renderQualificationJunit },
  html: { file: "qualification.html", render: renderQualificationPage },
  console: {
    file: "qualification.txt",
    render: (record) => {
      const plain = { color: false, width: 100 };
      return `${[...record.cases.map((one) => renderCase(one, plain)), renderSummary(record, plain)].join("\n")}\n`;
    },
  },
};

/** A report to write. */
export interface QualificationReport {
  readonly kind: string;
  readonly path: string;
}

/** @throws FleetrigError CLI_REPORT_KIND, CLI_REPORT_PATH (exit 2) */
export function reportsOf(reports: readonly string[] = [], folder?: string): QualificationReport[] {
  const named = reports.map((text) => {
    const [kind = "", ...rest] = text.split("=");
    const path = rest.join("=");
    if (!Object.hasOwn(REPORTS, kind))
      throw new FleetrigError("CLI_REPORT_KIND", `There is no report kind "${kind}".`, {
        hint: `Kinds: ${Object.keys(REPORTS).join(", ")}.`,
        exitCode: EXIT.usage,
      });
    if (path === "")
      throw new FleetrigError("CLI_REPORT_PATH", `--report ${text} names no file.`, {
        hint: `Write --report ${kind}=out/${REPORTS[kind]!.file}.`,
        exitCode: EXIT.usage,
      });
    return { kind, path };
  });
  if (folder === undefined) return named;
  const usual = ["json", "junit", "html"].map((kind) => ({
    kind,
    path: `${folder.replace(/\/$/, "")}/${REPORTS[kind]!.file}`,
  }));
  return [...named, ...usual];
}

/** @throws FleetrigError CLI_FILE_UNWRITABLE (exit 3) */
export function writeQualificationReports(
  { files }: Host,
  record: QualificationRecord,
  reports: readonly QualificationReport[],
): void {
  for (const { kind, path } of reports) files.writeFile(path, REPORTS[kind]!.render(record));
}
