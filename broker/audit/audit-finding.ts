import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import type { AuditedResource, FindingSeverity, ResourceIdentifier } from "./audit-check.js";
import { invalid } from "./audit-configuration.js";
import { identifierText } from "./audit-suppressions.js";
import { plainCodec } from "./plain-codec.js";

/** AWS: AuditFinding, with times in wall-clock milliseconds. */
export interface AuditFinding {
  readonly findingId: string;
  readonly taskId: string;
  readonly checkName: string;
  readonly taskStartTimeMs: number;
  readonly findingTimeMs: number;
  readonly severity: FindingSeverity;
  readonly nonCompliantResource: AuditedResource;
  readonly relatedResources: readonly AuditedResource[];
  readonly reasonForNonCompliance: string;
  readonly reasonForNonComplianceCode: string;
  readonly isSuppressed: boolean;
  /** Of discovery. */
  readonly order: number;
}

/** AWS: ListAuditFindings: of one audit, or of a time. */
export interface FindingFilter {
  readonly taskId?: string;
  readonly startTimeMs?: number;
  readonly endTimeMs?: number;
  readonly checkName?: string;
  readonly resourceIdentifier?: ResourceIdentifier;
  /** Only suppressed ones, or only others. */
  readonly listSuppressedFindings?: boolean;
}

/** Findings kept; with more of them the oldest are forgotten. */
const MAX_FINDINGS = 100_000;

/** What audits have found. */
export class AuditFindings {
  private readonly table: RecordTable<AuditFinding>;
  private nextOrder = 0;

  constructor(records: RecordBook) {
    this.table = records.table("audit-finding", plainCodec<AuditFinding>());
    records.whenRestored(() => {
      this.table.sort((a, b) => a.order - b.order);
      for (const { order } of this.table.values()) this.nextOrder = order + 1;
    });
  }

  add(finding: Omit<AuditFinding, "order">): void {
    this.table.set(finding.findingId, { ...finding, order: this.nextOrder });
    this.nextOrder += 1;
    if (this.table.size > MAX_FINDINGS) this.forgetOldest();
  }

  private forgetOldest(): void {
    const { value: oldest } = this.table.keys().next();
    if (oldest !== undefined) this.table.delete(oldest);
  }

  find(findingId: string): AuditFinding | undefined {
    return this.table.get(findingId);
  }

  get(findingId: string): AuditFinding {
    const finding = this.find(findingId);
    if (finding !== undefined) return finding;
    throw cloudError("ResourceNotFoundException", `There is no audit finding ${findingId}.`, {
      hint: "ListAuditFindings has the ids; findings are kept for 90 days.",
    });
  }

  /** In order of discovery. */
  list(filter: FindingFilter): readonly AuditFinding[] {
    const { taskId, startTimeMs, endTimeMs, checkName, resourceIdentifier, listSuppressedFindings } = filter;
    const hasTimes = startTimeMs !== undefined && endTimeMs !== undefined;
    if ((taskId !== undefined) === hasTimes || (startTimeMs === undefined) !== (endTimeMs === undefined)) {
      throw invalid("Findings of which audit?", "Give taskId, or startTime and endTime.");
    }
    const wanted = resourceIdentifier && identifierText(resourceIdentifier);
    return Array.from(this.table.values()).filter(
      (finding) =>
        (taskId === undefined || finding.taskId === taskId) &&
        (!hasTimes || (finding.findingTimeMs >= startTimeMs && finding.findingTimeMs <= endTimeMs)) &&
        (checkName === undefined || finding.checkName === checkName) &&
        (wanted === undefined ||
          identifierText(finding.nonCompliantResource.resourceIdentifier) === wanted) &&
        (listSuppressedFindings === undefined || finding.isSuppressed === listSuppressedFindings),
    );
  }

  /** Forgets what was found before. */
  forgetBefore(timeMs: number): void {
    for (const { findingId, findingTimeMs } of this.table.values()) {
      if (findingTimeMs >= timeMs) return;
      this.table.delete(findingId);
    }
  }
}
