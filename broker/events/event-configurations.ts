import { type Clock, isJsonObject } from "fleetrig/kernel";
import type { RecordBook, RecordTable } from "../records/index.js";

/** What AWS can publish events about; presence is not among it, because that cannot be switched off. */
export const EVENT_TYPES = [
  "THING",
  "THING_GROUP",
  "THING_TYPE",
  "THING_GROUP_MEMBERSHIP",
  "THING_GROUP_HIERARCHY",
  "THING_TYPE_ASSOCIATION",
  "JOB",
  "JOB_EXECUTION",
  "POLICY",
  "CERTIFICATE",
  "CA_CERTIFICATE",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** AWS: UpdateEventConfigurations. */
export type EventConfigurationChange = Readonly<Partial<Record<EventType, { readonly Enabled?: boolean }>>>;

export interface EventConfigurationsOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  /** What is on before anybody has said otherwise. Default: nothing, as in a new AWS account. */
  readonly enabled?: readonly EventType[];
}

interface Configured {
  readonly enabled: readonly EventType[];
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

const KEY = "configurations";

/** Which events the account wants published (REF §4). */
export class EventConfigurations {
  private readonly table: RecordTable<Configured>;
  private enabled: ReadonlySet<EventType>;

  constructor(private readonly options: EventConfigurationsOptions) {
    const { records } = options;
    this.enabled = new Set(options.enabled);
    this.table = records.table<Configured>("event-configurations", {
      write: (configured) => ({ ...configured, enabled: [...configured.enabled] }),
      read: readConfigured,
    });
    records.whenRestored(() => {
      const configured = this.table.get(KEY);
      if (configured !== undefined) this.enabled = new Set(configured.enabled);
    });
  }

  isEnabled(type: EventType): boolean {
    return this.enabled.has(type);
  }

  /** Types that are not named stay as they are. */
  update(change: EventConfigurationChange): void {
    const enabled = EVENT_TYPES.filter((type) => change[type]?.Enabled ?? this.enabled.has(type));
    const modifiedAtMs = this.options.clock.wallMs();
    const createdAtMs = this.table.get(KEY)?.createdAtMs ?? modifiedAtMs;
    this.enabled = new Set(enabled);
    this.table.set(KEY, { enabled, createdAtMs, modifiedAtMs });
  }

  /** When the configuration was first and last updated, in wall-clock milliseconds; undefined before the first time. */
  get times(): { readonly createdAtMs: number; readonly modifiedAtMs: number } | undefined {
    return this.table.get(KEY);
  }
}

const isEventType = (type: unknown): type is EventType => (EVENT_TYPES as readonly unknown[]).includes(type);

function readConfigured(value: unknown): Configured | undefined {
  if (!isJsonObject(value)) return undefined;
  const { enabled, createdAtMs, modifiedAtMs } = value;
  if (!Array.isArray(enabled) || typeof createdAtMs !== "number" || typeof modifiedAtMs !== "number")
    return undefined;
  return { enabled: enabled.filter(isEventType), createdAtMs, modifiedAtMs };
}
