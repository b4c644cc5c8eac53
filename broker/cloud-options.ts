import type { EventSink, RandomSource, TimeSource } from "fleetrig/kernel";
import type { Profile } from "fleetrig/protocol";
import type { AccountOptions } from "./account.js";
import type { DeviceManagementSettings } from "./device-management.js";
import type { BrokerLimits } from "./engine/index.js";
import type { Journal } from "./engine/journal.js";
import type { EventType } from "./events/index.js";
import type { IndexLimits } from "./fleet-index/index.js";
import type { HookSettings, HookTarget } from "./hooks/index.js";
import type { AccessSettings, IdentityLimits } from "./identity/index.js";
import type { JobsSettings } from "./jobs/index.js";
import type { CertificateIssuer } from "./pki/index.js";
import type { ProvisioningSettings } from "./provisioning/index.js";
import type { RecordJournal } from "./records/index.js";
import type { TraceOf } from "./rules/index.js";

/** The services a cloud can run beside its broker; `presence` is AWS's lifecycle events. */
export type CloudServiceName = "shadows" | "jobs" | "rules" | "presence";

/** What a cloud is made of; everything has a default. */
export interface CloudOptions {
  /** Default: the machine's time. */
  readonly time?: TimeSource;
  /** Default: seed 1 where `time` is given, else a new seed. */
  readonly random?: RandomSource;
  readonly events?: EventSink;
  /** Default: `aws`. */
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
  /** Default: all of them. */
  readonly services?: Partial<Readonly<Record<CloudServiceName, boolean>>>;
  /** Choices of the jobs service, such as what abort percentages are taken of. */
  readonly jobs?: Partial<JobsSettings>;
  /** Artifacts, and where job documents may come from. */
  readonly management?: DeviceManagementSettings;
  /** What ARNs and `accountid()` say. */
  readonly account?: AccountOptions;
  /** Events that are published from the start. Default: none but presence, as in a new AWS account. */
  readonly enabledEvents?: readonly EventType[];
  /** Where services keep what outlives the process. Default: nowhere. */
  readonly journal?: RecordJournal;
  /** Where the broker keeps sessions, messages and wills; `DurableJournal` is both. Default: nowhere. */
  readonly sessionJournal?: Journal;
  /** Who signs device certificates. Default: a new authority, or a virtual issuer where time is virtual. */
  readonly issuer?: CertificateIssuer;
  /** Bounds of certificates and policies. */
  readonly identity?: Partial<IdentityLimits>;
  /** Quotas of fleet indexing. */
  readonly indexing?: Partial<IndexLimits>;
  /** What stands in for AWS Lambda: functions, modules and endpoints by the ARN or the name of the function. */
  readonly hooks?: Readonly<Record<string, HookTarget>>;
  /** What modules of hooks are relative to. Default: the working directory. */
  readonly hookDirectory?: string;
  /** How hooks are bounded. */
  readonly hookSettings?: Partial<HookSettings>;
  /** Rates and lifetimes of provisioning. */
  readonly provisioning?: Partial<ProvisioningSettings>;
  /** How certificates and policies are enforced on connections. Default: not at all, everybody may do everything. */
  readonly access?: Partial<AccessSettings>;
  /** The trace tag that rules hand on with what they republish. Default: the message's user property. */
  readonly traceOf?: TraceOf;
}
