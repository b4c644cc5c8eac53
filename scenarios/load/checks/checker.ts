import type { ScenarioDocument } from "../../schema/document.js";
import type { Diagnostic } from "../diagnostics.js";
import {
  type Complaint,
  diagnosticAt,
  type SourceMap,
  type SourcePath,
  type SourceRange,
} from "../source-tree.js";

export type CheckComplaint = Omit<Complaint, "path">;

/** What the checks share: the document, where its parts are written, and the list of what was found. */
export class Checker {
  readonly diagnostics: Diagnostic[] = [];

  constructor(
    readonly document: ScenarioDocument,
    readonly sourceMap: SourceMap,
  ) {}

  /** Something is wrong with the value at a path. */
  atValue(path: SourcePath, complaint: CheckComplaint): void {
    this.add(this.sourceMap.rangeOf(path), path, complaint);
  }

  /** Something is wrong with a key: it should not be there, or it contradicts another one. */
  atKey(path: SourcePath, complaint: CheckComplaint): void {
    this.add(this.sourceMap.keyRangeOf(path), path, complaint);
  }

  /** Something is missing in the block at a path. */
  missingIn(path: SourcePath, complaint: CheckComplaint): void {
    const { file, start } = this.sourceMap.rangeOf(path);
    this.add({ file, start, end: start + 1 }, path, complaint);
  }

  /** Something is wrong inside the text at a path. */
  inText(
    path: SourcePath,
    part: { readonly offset: number; readonly length: number },
    complaint: CheckComplaint,
  ): void {
    this.add(this.sourceMap.partOf(path, part.offset, part.length), path, complaint);
  }

  /** Every name but the first of its kind is an error. */
  uniqueNames(
    names: readonly { readonly name: string | undefined; readonly path: SourcePath }[],
    noun: string,
  ): void {
    const seen = new Set<string>();
    for (const { name, path } of names) {
      if (name === undefined) continue;
      if (seen.has(name))
        this.atValue(path, {
          code: "SCENARIO_DUPLICATE_NAME",
          message: `There is already ${noun} named ${name}.`,
          hint: "Give each its own name.",
        });
      seen.add(name);
    }
  }

  private add(range: SourceRange, path: SourcePath, complaint: CheckComplaint): void {
    this.diagnostics.push(diagnosticAt(range, { ...complaint, path }));
  }
}
