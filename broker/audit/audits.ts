import type { Clock, EventSink, Random, RunEvent } from "fleetrig/kernel";
import type { Account } from "../account.js";
import { cloudError } from "../cloud-error.js";
import type { ConnectedInfo } from "../engine/index.js";
import type { Identity } from "../identity/index.js";
import type { RecordBook } from "../records/index.js";
import type { Registry } from "../registry/index.js";
import { type AccountAuditConfiguration, AuditConfigurations, invalid } from "./audit-configuration.js";
import type { AuditFacts } from "./audit-facts.js";
import { AuditFindings } from "./audit-finding.js";
import { AuditSuppressions } from "./audit-suppressions.js";
import { type AuditTask, AuditTasks } from "./audit-task.js";
import { ConnectionHistory, HISTORY_MS } from "./connection-history.js";
import { MitigationActions } from "./mitigation-actions.js";
import { MitigationTasks } from "./mitigation-tasks.js";
import { ScheduledAudits } from "./scheduled-audits.js";

/** What audits work with. */
export interface AuditsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly account: Account;
  readonly identity: Identity;
  readonly registry: Registry;
  readonly records: RecordBook;
  /** The registered certificate that a client shows. Default: by the fingerprint that its transport saw. */
  readonly certificateOf?: (info: ConnectedInfo) => string | undefined;
  /** Told when an audit is over. */
  readonly events: EventSink;
}

/**
 * AWS IoT Device Defender audits (REF §14): which checks are enabled, audits on demand and by the calendar, what they
 * found, what of it is suppressed, and what is done about it.
 */
export class Audits {
  readonly configurations: AuditConfigurations;
  readonly suppressions: AuditSuppressions;
  readonly findings: AuditFindings;
  readonly tasks: AuditTasks;
  readonly scheduled: ScheduledAudits;
  readonly mitigations: MitigationActions;
  readonly mitigationTasks: MitigationTasks;
  /** To be added to the broker's hooks. */
  readonly connections: ConnectionHistory;
  private readonly clock: Clock;
  private readonly revoked = new Set<string>();

  constructor(options: AuditsOptions) {
    const { account, clock, events, identity, random, records, registry } = options;
    this.clock = clock;
    this.connections = new ConnectionHistory({
      clock,
      certificateOf: options.certificateOf ?? ((info) => registeredCertificate(info, identity)),
    });
    const { connections } = this;
    const facts: AuditFacts = {
      account,
      identity,
      connections,
      isRevokedByIssuer: (certificateId) => this.revoked.has(certificateId),
    };
    this.configurations = new AuditConfigurations(records);
    this.suppressions = new AuditSuppressions(clock, records);
    this.findings = new AuditFindings(records);
    const { configurations, findings, suppressions } = this;
    this.tasks = new AuditTasks({
      clock,
      random,
      records,
      facts,
      configurations,
      suppressions,
      findings,
      ended: (task) => events.emit(endOf(task, clock.nowUs())),
    });
    this.scheduled = new ScheduledAudits({
      clock,
      records,
      configurations,
      start: ({ scheduledAuditName, targetCheckNames }, sinceMs) => {
        const checkNames = targetCheckNames.filter((name) => configurations.isEnabled(name));
        this.tasks.start({ taskType: "SCHEDULED_AUDIT_TASK", checkNames, sinceMs, scheduledAuditName });
      },
    });
    this.mitigations = new MitigationActions({ clock, random, records });
    this.mitigationTasks = new MitigationTasks({
      clock,
      records,
      findings,
      actions: this.mitigations,
      services: { identity, registry },
    });
  }

  /** AWS: UpdateAccountAuditConfiguration. */
  configure(change: AccountAuditConfiguration): void {
    this.configurations.update(change, (checkName) => this.scheduled.isCheckUsed(checkName));
  }

  /** AWS: DeleteAccountAuditConfiguration. */
  resetConfiguration(deleteScheduledAudits = false): void {
    if (!this.configurations.isConfigured) {
      throw cloudError("ResourceNotFoundException", "Audits are not configured.", {
        hint: "There is nothing to delete.",
      });
    }
    const audits = this.scheduled.list();
    if (audits.length > 0 && !deleteScheduledAudits) {
      throw invalid("There are scheduled audits.", "Delete them first, or pass deleteScheduledAudits.");
    }
    for (const { scheduledAuditName } of audits) this.scheduled.delete(scheduledAuditName);
    this.configurations.reset();
  }

  /** AWS: StartOnDemandAuditTask, which looks back 31 days. */
  startOnDemand(checkNames: readonly string[]): AuditTask {
    this.configurations.assertEnabled(checkNames);
    const sinceMs = this.clock.wallMs() - HISTORY_MS;
    return this.tasks.start({ taskType: "ON_DEMAND_AUDIT_TASK", checkNames, sinceMs });
  }

  /**
   * The issuer of a certificate has revoked it: what AWS reads from revocation lists. The certificate stays as it is,
   * and audits say so.
   * @param certificateId Of a device or an authority.
   */
  noteRevokedByIssuer(certificateId: string): void {
    this.revoked.add(certificateId);
  }

  stop(): void {
    this.tasks.stop();
    this.scheduled.stop();
    this.mitigationTasks.stop();
  }
}

const endOf = (
  { taskId, taskStatus, scheduledAuditName, auditDetails }: AuditTask,
  atUs: number,
): RunEvent => ({
  type: "audit.ended",
  atUs,
  taskId,
  scheduledAuditName,
  status: taskStatus === "IN_PROGRESS" ? "FAILED" : taskStatus,
  nonCompliantChecks: Object.keys(auditDetails).filter(
    (name) => auditDetails[name]!.checkCompliant === false,
  ),
});

function registeredCertificate({ peer }: ConnectedInfo, identity: Identity): string | undefined {
  const fingerprint = peer?.certificate?.fingerprint256;
  return fingerprint === undefined ? undefined : identity.certificates.find(fingerprint)?.certificateId;
}
