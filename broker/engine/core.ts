import type { Clock, EventSink, Random } from "fleetrig/kernel";
import type { Connection } from "./connection.js";
import type { AccountRates } from "./account-rates.js";
import type { ClientConflicts } from "./client-conflicts.js";
import type { ConnectGate } from "./connect-gate.js";
import type { BrokerFeatures } from "./features.js";
import type { HookChain } from "./hooks.js";
import type { Journal } from "./journal.js";
import type { BrokerLimits } from "./limits.js";
import type { MemoryPressure } from "./memory-pressure.js";
import type { ProfileTraits } from "./profiles.js";
import type { PublisherCredits } from "./publisher-credits.js";
import type { RetainedMessages } from "./retained-messages.js";
import type { Router } from "./router.js";
import type { SessionDirectory } from "./session-directory.js";
import type { BrokerCounters, DropReason } from "./statistics.js";

/** The parts of one broker, as its connections and sessions see them. */
export interface BrokerCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly traits: ProfileTraits;
  readonly limits: BrokerLimits;
  readonly features: BrokerFeatures;
  readonly hooks: HookChain;
  /** Undefined for a broker that keeps everything in memory. */
  readonly journal: Journal | undefined;
  readonly counters: BrokerCounters;
  readonly retained: RetainedMessages;
  /** The broker's own `$SYS` topics: like retained messages, but nobody's data. */
  readonly status: RetainedMessages;
  readonly router: Router;
  readonly sessions: SessionDirectory;
  readonly gate: ConnectGate;
  readonly rates: AccountRates;
  readonly conflicts: ClientConflicts;
  readonly pressure: MemoryPressure;
  readonly credits: PublisherCredits;
  /** The link became a connection. */
  opened(connection: Connection): void;
  /** The link ended before or after that. */
  closed(connection: Connection): void;
  /** Counts and reports a message that one receiver (or nobody) gets. */
  dropped(clientId: string, reason: DropReason, topic: string): void;
}
