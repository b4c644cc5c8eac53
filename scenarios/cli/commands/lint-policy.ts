import { DEFAULT_POLICY_LIMITS, lintPolicy, type PolicyFinding } from "fleetrig/broker";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { formatDiagnostic } from "../../load/diagnostics.js";
import { type Host, writeLine } from "../host.js";

export interface LintPolicyOptions {
  readonly json?: boolean;
}

interface LintedFile {
  readonly file: string;
  readonly text: string;
  readonly findings: readonly PolicyFinding[];
}

/**
 * `fleetrig lint-policy <files>`: mistakes in AWS IoT policies.
 * @returns 0 when there is nothing worse than info, 1 with errors or warnings, 2 when a file cannot be read
 */
export function lintPolicyCommand(host: Host, files: readonly string[], options: LintPolicyOptions): number {
  const linted = files.map((file) => lintFile(host, file));
  const read = linted.filter((result) => result !== undefined);
  for (const result of read) {
    if (options.json === true) writeJson(host, result);
    else writeText(host, result);
  }
  const findings = read.flatMap((result) => result.findings);
  if (options.json !== true && read.length > 0) writeLine(host.stdout, summaryOf(read.length, findings));
  if (read.length < files.length) return EXIT.usage;
  return findings.some(({ severity }) => severity !== "info") ? EXIT.failed : EXIT.passed;
}

/** One more byte than a document may have in UTF-8, so that a longer file is seen to be too long. */
const MAX_BYTES = DEFAULT_POLICY_LIMITS.maxTextLength * 3 + 1;

const STDIN = "/dev/stdin";

function lintFile(host: Host, name: string): LintedFile | undefined {
  try {
    const text = host.files.readFile(name === "-" ? STDIN : name, MAX_BYTES).replace(/^\uFEFF/, "");
    return { file: name === "-" ? "stdin" : name, text, findings: lintPolicy(text) };
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    writeLine(host.stderr, `error: ${error.message}`);
    if (error.hint !== undefined) writeLine(host.stderr, `  hint: ${error.hint}`);
    return undefined;
  }
}

function writeText(host: Host, { file, text, findings }: LintedFile): void {
  for (const { fix, start, end, ...finding } of findings) {
    const shown = formatDiagnostic({ ...finding, file, length: Math.max(1, end - start), hint: fix }, text);
    writeLine(host.stdout, `${shown}\n`);
  }
}

function writeJson(host: Host, { file, findings }: LintedFile): void {
  for (const { line, column, severity, code, statement, sid, message, fix } of findings) {
    const at = { file, line, column, severity, code, statement, sid, message, fix };
    writeLine(host.stdout, JSON.stringify(at));
  }
}

function summaryOf(files: number, findings: readonly PolicyFinding[]): string {
  const counted = (["error", "warning", "info"] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0
      ? []
      : [severity === "info" ? `${count} info` : `${count} ${severity}${count === 1 ? "" : "s"}`];
  });
  const policies = files === 1 ? "1 policy" : `${files} policies`;
  return `${policies}: ${counted.length === 0 ? "nothing found" : counted.join(", ")}.`;
}
