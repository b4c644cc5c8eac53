import { type Clock, type Timer, US_PER_MS } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { MS_PER_DAY } from "./audit-check.js";
import { type AuditConfigurations, invalid } from "./audit-configuration.js";
import { type AuditSchedule, nextAuditMs } from "./audit-schedule.js";
import { plainCodec } from "./plain-codec.js";

/** AWS: CreateScheduledAudit. */
export interface ScheduledAuditRequest extends AuditSchedule {
  readonly scheduledAuditName: string;
  readonly targetCheckNames: readonly string[];
}

/** AWS: an audit that takes place again and again. */
export interface ScheduledAudit extends ScheduledAuditRequest {
  /** When it took place last. */
  lastRunMs?: number;
  readonly createdAtMs: number;
}

export interface ScheduledAuditsOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  readonly configurations: AuditConfigurations;
  /** Starts an audit; `sinceMs` is when the one before was. */
  readonly start: (audit: ScheduledAudit, sinceMs: number) => void;
}

const MAX_SCHEDULED = 5;

/** Audits by the calendar, in UTC. */
export class ScheduledAudits {
  private readonly table: RecordTable<ScheduledAudit>;
  private readonly timers = new Map<string, Timer>();

  constructor(private readonly options: ScheduledAuditsOptions) {
    this.table = options.records.table("scheduled-audit", plainCodec<ScheduledAudit>());
    options.records.whenRestored(() => {
      for (const audit of this.table.values()) this.arm(audit);
    });
  }

  create(request: ScheduledAuditRequest): ScheduledAudit {
    const { scheduledAuditName } = request;
    if (this.table.has(scheduledAuditName)) {
      throw cloudError("ResourceAlreadyExistsException", `Scheduled audit ${scheduledAuditName} exists.`, {
        hint: "Use UpdateScheduledAudit to change it.",
      });
    }
    this.assertValid(request);
    if (this.table.size >= MAX_SCHEDULED) {
      throw cloudError("LimitExceededException", `There are ${MAX_SCHEDULED} scheduled audits already.`, {
        hint: "Delete one, or add checks to one.",
      });
    }
    return this.keep({ ...request, createdAtMs: this.options.clock.wallMs() });
  }

  /** What is left out stays; days that the new frequency does not need are forgotten. */
  update(request: Partial<ScheduledAuditRequest> & { readonly scheduledAuditName: string }): ScheduledAudit {
    const { dayOfMonth, dayOfWeek, ...before } = this.get(request.scheduledAuditName);
    const after: ScheduledAudit = {
      ...before,
      ...((request.frequency ?? before.frequency) === before.frequency && {
        ...(dayOfMonth !== undefined && { dayOfMonth }),
        ...(dayOfWeek !== undefined && { dayOfWeek }),
      }),
      ...request,
    };
    this.assertValid(after);
    return this.keep(after);
  }

  delete(scheduledAuditName: string): void {
    this.get(scheduledAuditName);
    this.disarm(scheduledAuditName);
    this.table.delete(scheduledAuditName);
  }

  has(scheduledAuditName: string): boolean {
    return this.table.has(scheduledAuditName);
  }

  get(scheduledAuditName: string): ScheduledAudit {
    const audit = this.table.get(scheduledAuditName);
    if (audit !== undefined) return audit;
    throw cloudError("ResourceNotFoundException", `There is no scheduled audit ${scheduledAuditName}.`, {
      hint: "ListScheduledAudits has the names; they are case-sensitive.",
    });
  }

  /** By name. */
  list(): readonly ScheduledAudit[] {
    return Array.from(this.table.values()).sort((a, b) =>
      a.scheduledAuditName < b.scheduledAuditName ? -1 : 1,
    );
  }

  isCheckUsed(checkName: string): boolean {
    return this.list().some(({ targetCheckNames }) => targetCheckNames.includes(checkName));
  }

  stop(): void {
    for (const name of Array.from(this.timers.keys())) this.disarm(name);
  }

  private assertValid({ frequency, dayOfMonth, dayOfWeek, targetCheckNames }: ScheduledAuditRequest): void {
    this.options.configurations.assertEnabled(targetCheckNames);
    const isMonthly = frequency === "MONTHLY";
    const isWeekly = frequency === "WEEKLY" || frequency === "BIWEEKLY";
    if (isMonthly !== (dayOfMonth !== undefined) || isWeekly !== (dayOfWeek !== undefined)) {
      throw invalid(
        `The days do not fit the frequency ${frequency}.`,
        "MONTHLY needs dayOfMonth, WEEKLY and BIWEEKLY need dayOfWeek, DAILY needs neither.",
      );
    }
  }

  private keep(audit: ScheduledAudit): ScheduledAudit {
    this.table.set(audit.scheduledAuditName, audit);
    this.arm(audit);
    return audit;
  }

  private arm(audit: ScheduledAudit): void {
    this.disarm(audit.scheduledAuditName);
    const { clock } = this.options;
    let dueMs = nextAuditMs(audit, clock.wallMs(), audit.lastRunMs);
    // No timer is longer than a day: wall time may step meanwhile.
    const waitUs = (): number => Math.min(dueMs - clock.wallMs(), MS_PER_DAY) * US_PER_MS;
    const timer = clock.after(waitUs(), () => {
      if (clock.wallMs() >= dueMs) {
        this.run(audit);
        dueMs = nextAuditMs(audit, clock.wallMs(), audit.lastRunMs);
      }
      timer.again(waitUs());
    });
    this.timers.set(audit.scheduledAuditName, timer);
  }

  private disarm(scheduledAuditName: string): void {
    this.timers.get(scheduledAuditName)?.cancel();
    this.timers.delete(scheduledAuditName);
  }

  private run(audit: ScheduledAudit): void {
    const sinceMs = audit.lastRunMs ?? audit.createdAtMs;
    audit.lastRunMs = this.options.clock.wallMs();
    this.table.changed(audit.scheduledAuditName);
    this.options.start(audit, sinceMs);
  }
}
