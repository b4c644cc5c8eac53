import type { BoardEvent } from "./board-events.js";
import type { JsonObject, JsonValue } from "./json.js";

/**
 * What a run tells its observers. Two channels:
 * - `RunEvent`s, one object each, for everything that happens at most a few times per device and minute;
 * - `DeliveryProbe`, plain calls without allocation, for every single message.
 * All `atUs` are monotonic microseconds of the run; things are named, never numbered, except in the probe.
 */
export interface EventSink {
  emit(event: RunEvent): void;
}

/** Drops everything. */
export const silentSink: EventSink = { emit: () => undefined };

/** Sends each event to several sinks, in order. */
export const teeSink = (...sinks: readonly EventSink[]): EventSink => ({
  emit: (event) => {
    for (let i = 0; i < sinks.length; i += 1) sinks[i]!.emit(event);
  },
});

/** AWS: job execution states. */
export const EXECUTION_STATUSES = [
  "QUEUED",
  "IN_PROGRESS",
  "SUCCEEDED",
  "FAILED",
  "TIMED_OUT",
  "REJECTED",
  "REMOVED",
  "CANCELED",
] as const;

/** One of `EXECUTION_STATUSES`. */
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

/** AWS: job states. */
export type JobStatus = "SCHEDULED" | "IN_PROGRESS" | "COMPLETED" | "CANCELED" | "DELETION_IN_PROGRESS";

/** Everything an `EventSink` hears, told apart by `type`. */
export type RunEvent =
  | HarnessEvent
  | ConnectionEvent
  | DeviceEvent
  | BrokerEvent
  | ControlEvent
  | ShadowEvent
  | JobEvent
  | RuleEvent
  | BoardEvent;

/** The scenario itself: stages, actions, faults. */
export type HarnessEvent =
  | {
      readonly type: "stage.started";
      readonly atUs: number;
      readonly stage: string;
      readonly measured: boolean;
    }
  | {
      readonly type: "stage.ended";
      readonly atUs: number;
      readonly stage: string;
      readonly timedOut: boolean;
    }
  | {
      readonly type: "action.started";
      readonly atUs: number;
      /** `id` of the action, or `<stage>#<index>`. */
      readonly action: string;
      readonly verb: string;
      readonly things: readonly string[];
      readonly detail: JsonObject;
    }
  | { readonly type: "action.ended"; readonly atUs: number; readonly action: string }
  | {
      /** It means nothing to these members, for one reason: a reset of virtual devices, say. */
      readonly type: "action.skipped";
      readonly atUs: number;
      readonly action: string;
      readonly things: readonly string[];
      readonly reason: string;
    }
  | {
      readonly type: "fault.injected";
      readonly atUs: number;
      readonly fault: string;
      readonly things: readonly string[];
      readonly detail: JsonObject;
    };

/** A device's connection, as the device sees it. `action` names the scenario action that caused a loss. */
export type ConnectionEvent =
  | {
      readonly type: "connection.attempt";
      readonly atUs: number;
      readonly thing: string;
      readonly attempt: number;
    }
  | {
      readonly type: "connection.open";
      readonly atUs: number;
      readonly thing: string;
      readonly sessionPresent: boolean;
      /** True when the device had reason to expect its session back. */
      readonly resumeExpected: boolean;
      /** From the start of the transport connection to CONNACK. */
      readonly connectUs: number;
    }
  | {
      readonly type: "connection.refused";
      readonly atUs: number;
      readonly thing: string;
      readonly reason: string;
    }
  | {
      readonly type: "connection.lost";
      readonly atUs: number;
      readonly thing: string;
      readonly reason: string;
      readonly action?: string;
    }
  | {
      readonly type: "connection.closed";
      readonly atUs: number;
      readonly thing: string;
      readonly action?: string;
    };

/** The device model's own state: ground truth no message can fake. */
export type DeviceEvent =
  | {
      readonly type: "device.config";
      readonly atUs: number;
      readonly thing: string;
      readonly shadowName: string | undefined;
      /** Configuration the device really runs with. */
      readonly state: JsonObject;
    }
  | {
      readonly type: "device.firmware";
      readonly atUs: number;
      readonly thing: string;
      readonly version: string;
    }
  | { readonly type: "device.rebooted"; readonly atUs: number; readonly thing: string }
  | {
      /** It has a certificate of its own now, and is a thing. */
      readonly type: "device.provisioned";
      readonly atUs: number;
      readonly thing: string;
      /** Since it first dialled with its claim. */
      readonly tookUs: number;
    }
  | {
      /** It gave up: it never connects with a certificate of its own. */
      readonly type: "device.unprovisioned";
      readonly atUs: number;
      readonly thing: string;
      readonly reason: string;
    }
  | {
      readonly type: "device.mode";
      readonly atUs: number;
      readonly thing: string;
      /** Name of the model's state, e.g. `downloading`. */
      readonly mode: string;
      readonly detail?: JsonObject;
    };

/** The broker's side of connections. */
export type BrokerEvent =
  | {
      readonly type: "broker.connected";
      readonly atUs: number;
      readonly clientId: string;
      readonly sessionPresent: boolean;
    }
  | {
      readonly type: "broker.disconnected";
      readonly atUs: number;
      readonly clientId: string;
      /** AWS disconnectReason. */
      readonly reason: string;
      readonly clientInitiated: boolean;
    }
  | {
      readonly type: "broker.refused";
      readonly atUs: number;
      readonly clientId: string;
      readonly reason: string;
    }
  /** Enhanced authentication was renewed. */
  | { readonly type: "broker.reauthenticated"; readonly atUs: number; readonly clientId: string }
  /** One filter of a SUBSCRIBE failed. */
  | {
      readonly type: "broker.subscription-refused";
      readonly atUs: number;
      readonly clientId: string;
      readonly filter: string;
      readonly reason: string;
    }
  /** How full the memory is has changed: `normal`, `high` or `critical`. */
  | { readonly type: "broker.memory"; readonly atUs: number; readonly level: string }
  /** Two clients take one client id from each other again and again. */
  | {
      readonly type: "broker.client-conflict";
      readonly atUs: number;
      readonly clientId: string;
      /** Of the two that met last. */
      readonly addresses: readonly string[];
    }
  | {
      readonly type: "broker.dropped";
      readonly atUs: number;
      readonly clientId: string;
      readonly reason: string;
      readonly topic: string;
    }
  | {
      readonly type: "will.published";
      readonly atUs: number;
      readonly clientId: string;
      readonly topic: string;
    }
  | { readonly type: "will.suppressed"; readonly atUs: number; readonly clientId: string }
  | { readonly type: "session.expired"; readonly atUs: number; readonly clientId: string }
  | {
      readonly type: "store.opened";
      readonly atUs: number;
      /** What an acknowledgement promises: `disk` or `os`. */
      readonly durability: string;
      readonly sessions: number;
      readonly messages: number;
      readonly retained: number;
      /** Of the cloud's services. */
      readonly records: number;
      readonly tookMs: number;
    }
  | {
      readonly type: "store.damaged";
      readonly atUs: number;
      /** A file with an offset, or the key of a record. */
      readonly where: string;
      readonly what: string;
    }
  | { readonly type: "store.failed"; readonly atUs: number; readonly reason: string };

/** What the cloud's control plane and its policies decided. */
export type ControlEvent =
  | {
      /** A device got its thing, certificate and policies. */
      readonly type: "provisioning.provisioned";
      readonly atUs: number;
      /** Name of the template; empty for one without a name. */
      readonly template: string;
      /** Empty for none. */
      readonly thing: string;
      readonly certificateId: string;
    }
  | {
      /** A device asked for a certificate or to be provisioned, and got neither. */
      readonly type: "provisioning.rejected";
      readonly atUs: number;
      /** Of a certificate that was to be provisioned just in time: its id. */
      readonly clientId: string;
      /** Empty where none was named. */
      readonly template: string;
      /** As the device hears it. */
      readonly errorCode: string;
      readonly reason: string;
    }
  | {
      /** A hook gave no answer that could be used. Its callers hear of a refusal and no more. */
      readonly type: "hook.failed";
      readonly atUs: number;
      readonly functionArn: string;
      readonly reason: string;
      readonly detail: string;
    }
  | {
      /** A policy, or the lack of one, refused something. */
      readonly type: "access.denied";
      readonly atUs: number;
      /** Certificate id, authorizer principal, or empty for nobody. */
      readonly principal: string;
      /** Empty for requests over HTTP. */
      readonly clientId: string;
      /** Such as `iot:Publish`. */
      readonly action: string;
      /** ARN. */
      readonly resource: string;
      /** `credentials`: they are missing or worth nothing, and no policy was asked. */
      readonly outcome: "explicitDeny" | "implicitDeny" | "credentials";
      /** The statement that denies, or that came nearest to allowing: `statement 0 of policy p`. */
      readonly statement: string | undefined;
      /** One sentence: the statement that decided, or what comes closest to allowing it. */
      readonly reason: string;
    }
  | {
      /** An audit of Device Defender is over; AWS tells Amazon SNS. */
      readonly type: "audit.ended";
      readonly atUs: number;
      readonly taskId: string;
      /** Undefined for one on demand. */
      readonly scheduledAuditName: string | undefined;
      readonly status: "COMPLETED" | "FAILED" | "CANCELED";
      /** Checks that found something that is not suppressed. */
      readonly nonCompliantChecks: readonly string[];
    }
  | {
      /** A bug: the request was answered with InternalFailure and this id. */
      readonly type: "api.fault";
      readonly atUs: number;
      readonly requestId: string;
      readonly detail: string;
    };

/** What the shadow service decided. */
export type ShadowEvent =
  | {
      readonly type: "shadow.accepted";
      readonly atUs: number;
      readonly thing: string;
      readonly shadowName: string | undefined;
      readonly version: number;
      /** Sections named in the request. */
      readonly requested: { readonly desired?: JsonValue; readonly reported?: JsonValue };
      /** The document after the update. */
      readonly desired: JsonObject;
      readonly reported: JsonObject;
      readonly hasDelta: boolean;
      readonly clientToken: string | undefined;
    }
  | {
      readonly type: "shadow.rejected";
      readonly atUs: number;
      readonly thing: string;
      readonly shadowName: string | undefined;
      readonly operation: "get" | "update" | "delete";
      readonly code: number;
    }
  | {
      readonly type: "shadow.deleted";
      readonly atUs: number;
      readonly thing: string;
      readonly shadowName: string | undefined;
      readonly version: number;
    };

/** What became of jobs and their executions. */
export type JobEvent =
  | {
      readonly type: "job.created";
      readonly atUs: number;
      readonly jobId: string;
      readonly targets: number;
      readonly document: JsonObject;
      readonly rollout: JsonObject;
      readonly abort: JsonObject;
    }
  | {
      readonly type: "job.status";
      readonly atUs: number;
      readonly jobId: string;
      readonly status: JobStatus;
      readonly reasonCode?: string;
    }
  | {
      readonly type: "job.aborted";
      readonly atUs: number;
      readonly jobId: string;
      /** Index into abortConfig.criteriaList. */
      readonly criterion: number;
      readonly failed: number;
      readonly executed: number;
    }
  | {
      readonly type: "job.execution";
      readonly atUs: number;
      readonly jobId: string;
      readonly thing: string;
      readonly executionNumber: number;
      readonly from: ExecutionStatus | undefined;
      readonly status: ExecutionStatus;
      readonly statusDetails: Readonly<Record<string, string>>;
    }
  | { readonly type: "job.notified"; readonly atUs: number; readonly jobId: string; readonly thing: string };

/** What rules did with messages. */
export type RuleEvent =
  | {
      readonly type: "rule.fired";
      readonly atUs: number;
      readonly rule: string;
      readonly topic: string;
      /** Trace tag of the triggering message, if it carried one. */
      readonly trace: string | undefined;
    }
  | {
      readonly type: "rule.error";
      readonly atUs: number;
      readonly rule: string;
      readonly action: string;
      readonly message: string;
    };

/**
 * Every simulated publish carries (stream, thing, sequence); the ledger hears of each step of its life.
 * `stream` and `thing` are indices into the plan's tables; `sequence` counts from 0 per (thing, stream).
 */
export interface DeliveryProbe {
  /** The schedule wanted it at `scheduledUs`, the transport took it at `sentUs`. Called once, on first send. */
  sent(stream: number, thing: number, sequence: number, scheduledUs: number, sentUs: number): void;
  /** PUBACK; `reasonCode` >= 0x80 is a refusal, 0x10 means no subscribers. */
  acked(stream: number, thing: number, sequence: number, atUs: number, reasonCode: number): void;
  /** Sent again after a reconnect. */
  retransmitted(stream: number, thing: number, sequence: number): void;
  /** The device's offline buffer gave it up; it was never sent. */
  discarded(stream: number, thing: number, sequence: number, scheduledUs: number): void;
  /** Delivered to the observer's handler. */
  received(stream: number, thing: number, sequence: number, atUs: number, isDuplicateFlagged: boolean): void;
  /** A rule's output, triggered by that message, reached the observer. */
  ruleOutput(rule: string, stream: number, thing: number, sequence: number, atUs: number): void;
}

/** Tells several probes, in order. */
export const teeProbe = (first: DeliveryProbe, second: DeliveryProbe): DeliveryProbe => ({
  sent: (...step) => (first.sent(...step), second.sent(...step)),
  acked: (...step) => (first.acked(...step), second.acked(...step)),
  retransmitted: (...step) => (first.retransmitted(...step), second.retransmitted(...step)),
  discarded: (...step) => (first.discarded(...step), second.discarded(...step)),
  received: (...step) => (first.received(...step), second.received(...step)),
  ruleOutput: (...step) => (first.ruleOutput(...step), second.ruleOutput(...step)),
});

/** Counts nothing. */
export const silentProbe: DeliveryProbe = {
  sent: () => undefined,
  acked: () => undefined,
  retransmitted: () => undefined,
  discarded: () => undefined,
  received: () => undefined,
  ruleOutput: () => undefined,
};
