import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { AUDIT_CHECKS } from "./checks.js";
import { plainCodec } from "./plain-codec.js";

/** AWS: whether a check may be used, and its settings by ConfigName. */
export interface CheckConfiguration {
  readonly enabled?: boolean;
  readonly configuration?: Readonly<Record<string, string>>;
}

/** AWS: UpdateAccountAuditConfiguration. Unlike there, `roleArn` is optional: there is nothing that a role opens. */
export interface AccountAuditConfiguration {
  readonly roleArn?: string;
  readonly auditNotificationTargetConfigurations?: Readonly<Record<string, object>>;
  readonly auditCheckConfigurations?: Readonly<Record<string, CheckConfiguration>>;
}

const KEY = "account";
const DAYS = /^\d{1,5}$/;

/** Which checks an account has enabled. */
export class AuditConfigurations {
  private readonly table: RecordTable<AccountAuditConfiguration>;

  constructor(records: RecordBook) {
    this.table = records.table("audit-configuration", plainCodec<AccountAuditConfiguration>());
  }

  get isConfigured(): boolean {
    return this.table.has(KEY);
  }

  isEnabled(checkName: string): boolean {
    return this.checks[checkName]?.enabled === true;
  }

  /** Settings of a check. */
  settingsOf(checkName: string): Readonly<Record<string, string>> {
    return this.checks[checkName]?.configuration ?? {};
  }

  /** AWS: DescribeAccountAuditConfiguration: every check there is, enabled or not. */
  describe(): AccountAuditConfiguration {
    const checks = Array.from(AUDIT_CHECKS.keys(), (name) => [
      name,
      { enabled: false, ...this.checks[name] },
    ]);
    return { ...this.table.get(KEY), auditCheckConfigurations: Object.fromEntries(checks) };
  }

  /**
   * What is left out stays as it was.
   * @param isUsed Whether a scheduled audit performs the check, which can then not be disabled.
   */
  update(change: AccountAuditConfiguration, isUsed: (checkName: string) => boolean): void {
    const { auditCheckConfigurations = {}, auditNotificationTargetConfigurations: targets, roleArn } = change;
    for (const [name, configuration] of Object.entries(auditCheckConfigurations)) {
      assertCheck(name);
      assertSettings(name, configuration);
      if (configuration.enabled !== true && isUsed(name)) {
        throw invalid(
          `A scheduled audit performs ${name}.`,
          "Take the check out of the scheduled audit first.",
        );
      }
    }
    this.table.set(KEY, {
      ...this.table.get(KEY),
      ...(roleArn !== undefined && { roleArn }),
      ...(targets !== undefined && { auditNotificationTargetConfigurations: targets }),
      auditCheckConfigurations: { ...this.checks, ...auditCheckConfigurations },
    });
  }

  /** @throws FleetrigError `CLOUD_INVALID_REQUEST` unless all of these checks exist and are enabled. */
  assertEnabled(checkNames: readonly string[]): void {
    if (checkNames.length === 0) throw invalid("No check is named.", "Name the checks to perform.");
    for (const name of checkNames) {
      assertCheck(name);
      if (!this.isEnabled(name)) {
        throw invalid(`The check ${name} is not enabled.`, "Enable it with UpdateAccountAuditConfiguration.");
      }
    }
  }

  reset(): void {
    this.table.delete(KEY);
  }

  private get checks(): Readonly<Record<string, CheckConfiguration>> {
    return this.table.get(KEY)?.auditCheckConfigurations ?? {};
  }
}

/** @throws FleetrigError `CLOUD_INVALID_REQUEST` for what is no check. */
export function assertCheck(name: string): void {
  if (AUDIT_CHECKS.has(name)) return;
  throw invalid(
    `There is no check ${name.slice(0, 140)}.`,
    "DescribeAccountAuditConfiguration names all checks.",
  );
}

function assertSettings(name: string, { configuration = {} }: CheckConfiguration): void {
  const setting = AUDIT_CHECKS.get(name)?.setting;
  for (const [key, value] of Object.entries(configuration)) {
    const days = DAYS.test(value) ? Number(value) : Number.NaN;
    if (key === setting?.name && days >= setting.least && days <= setting.most) continue;
    throw invalid(
      `${name} cannot have ${key.slice(0, 100)} ${value}.`,
      setting === undefined
        ? "The check has no settings."
        : `Its setting is ${setting.name}, ${setting.least} to ${setting.most}.`,
    );
  }
}

export const invalid = (problem: string, hint: string): Error =>
  cloudError("InvalidRequestException", problem, { hint });
