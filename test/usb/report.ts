/** What the guest's program says on its console, one JSON text a line behind a mark. */
export type ReportLine =
  | { readonly check: string; readonly tookMs: number; readonly error?: string }
  | { readonly figure: string; readonly value: number; readonly unit: string }
  | { readonly end: true };

const MARK = "@usb ";

export const encodeReport = (line: ReportLine): string => `${MARK}${JSON.stringify(line)}`;

/** @returns undefined for what anybody else says on the console */
export function decodeReport(text: string): ReportLine | undefined {
  const at = text.indexOf(MARK);
  if (at < 0) return undefined;
  try {
    return JSON.parse(text.slice(at + MARK.length)) as ReportLine;
  } catch {
    return undefined;
  }
}
