import type { LabelName, MetricKind, MetricUnit } from "./definition.js";

/**
 * The rows of the metric catalogue, section by section. Times run from the instant the schedule wanted a
 * message (`t_sched`), never from the previous one.
 */
export type MetricRow = readonly [
  name: string,
  kind: MetricKind,
  unit: MetricUnit,
  labels: readonly LabelName[],
  definition: string,
];

const MESSAGE: readonly LabelName[] = ["stage", "group", "qos", "stream"];
const OUTAGE: readonly LabelName[] = ["action", "group"];
const CONNECTION: readonly LabelName[] = ["stage", "group"];
const UPDATE: readonly LabelName[] = ["update", "group"];
const JOB: readonly LabelName[] = ["job"];

export const LATENCY: readonly MetricRow[] = [
  [
    "latency.e2e",
    "histogram",
    "us",
    MESSAGE,
    "from the instant the schedule wanted the message to the observer's handler",
  ],
  [
    "latency.service",
    "histogram",
    "us",
    MESSAGE,
    "from handing the PUBLISH to the transport to the observer's handler",
  ],
  [
    "latency.ack",
    "histogram",
    "us",
    MESSAGE,
    "from the instant the schedule wanted the message to its PUBACK (qos 1 and 2)",
  ],
  ["connect.time", "histogram", "us", CONNECTION, "from the start of the transport connection to CONNACK"],
];

export const DELIVERY: readonly MetricRow[] = [
  [
    "telemetry.published",
    "counter",
    "count",
    MESSAGE,
    "messages handed to the transport, by the stage that scheduled them",
  ],
  ["delivery.sent", "counter", "count", MESSAGE, "messages handed to the transport"],
  ["delivery.acked", "counter", "count", MESSAGE, "messages acknowledged without refusal"],
  ["delivery.received", "counter", "count", MESSAGE, "distinct messages that reached the observer"],
  [
    "delivery.lost",
    "counter",
    "count",
    MESSAGE,
    "expected messages that never reached the observer by the end of the run",
  ],
  ["delivery.ratio", "ratio", "ratio", MESSAGE, "expected messages received / expected messages"],
  [
    "delivery.duplicates",
    "counter",
    "count",
    [...MESSAGE, "dup"],
    "receptions beyond the first of a message",
  ],
  [
    "delivery.duplicate_ratio",
    "ratio",
    "ratio",
    [...MESSAGE, "dup"],
    "duplicates / distinct messages received",
  ],
  [
    "delivery.reordered",
    "counter",
    "count",
    MESSAGE,
    "messages received after a later one of the same thing and stream",
  ],
  [
    "delivery.unexpected",
    "counter",
    "count",
    MESSAGE,
    "messages received that were refused, discarded or never sent",
  ],
  [
    "delivery.refused",
    "counter",
    "count",
    [...MESSAGE, "code"],
    "messages answered with a reason code of 0x80 or above",
  ],
  [
    "delivery.no_subscribers",
    "counter",
    "count",
    MESSAGE,
    "messages answered with reason code 0x10, no matching subscribers",
  ],
  [
    "delivery.acked_but_lost",
    "counter",
    "count",
    MESSAGE,
    "messages the broker acknowledged and never delivered",
  ],
  [
    "delivery.unacked",
    "counter",
    "count",
    MESSAGE,
    "qos 1 and 2 messages without an answer at the end of the run",
  ],
  [
    "delivery.discarded",
    "counter",
    "count",
    MESSAGE,
    "messages given up by a full offline buffer, never sent",
  ],
  ["delivery.retransmitted", "counter", "count", MESSAGE, "messages sent again after a reconnect"],
  [
    "delivery.staleness",
    "histogram",
    "us",
    CONNECTION,
    "per thing and second: age of the newest sample received",
  ],
];

export const CONNECTIONS: readonly MetricRow[] = [
  ["connections.online", "share", "count", ["group"], "things connected now / things"],
  ["connections.lost", "counter", "count", [...OUTAGE, "stage"], "things that lost their connection"],
  [
    "connections.dropped",
    "counter",
    "count",
    CONNECTION,
    "connections lost without a scenario action asking for it",
  ],
  [
    "sessions.resumed_ratio",
    "ratio",
    "ratio",
    OUTAGE,
    "CONNACKs with session-present / reconnects that should resume",
  ],
  ["wills.published", "counter", "count", OUTAGE, "wills the broker published"],
  ["wills.suppressed", "counter", "count", OUTAGE, "wills cancelled by a reconnect within the will delay"],
];

export const RECONNECT: readonly MetricRow[] = [
  [
    "reconnect.time",
    "histogram",
    "us",
    [...OUTAGE, "since"],
    "from the restored link (since=down: from the loss) to a successful CONNACK",
  ],
  [
    "reconnect.attempts",
    "counter",
    "count",
    OUTAGE,
    "connection attempts of things that had lost their connection",
  ],
  [
    "reconnect.peak_rate",
    "gauge",
    "per-second",
    [...OUTAGE, "window"],
    "highest rate of attempts in any sliding window after the link was restored",
  ],
  [
    "reconnect.peak_to_mean",
    "ratio",
    "number",
    OUTAGE,
    "peak rate / mean rate of attempts until the last thing was back",
  ],
  [
    "reconnect.synchrony",
    "ratio",
    "ratio",
    OUTAGE,
    "largest share of the attempts that fell into one 100 ms bin",
  ],
  ["reconnect.amplification", "ratio", "number", OUTAGE, "attempts / things that lost their connection"],
  [
    "reconnect.refused_ratio",
    "ratio",
    "ratio",
    [...OUTAGE, "reason"],
    "attempts refused or timed out / attempts, after the link was restored",
  ],
  [
    "reconnect.backoff_grade",
    "label",
    "none",
    OUTAGE,
    "shape of the gaps between attempts: the worst one that is not a rare exception",
  ],
  [
    "recovery.backlog_time",
    "gauge",
    "us",
    ["action"],
    "from the restored link to the arrival of the last message scheduled before",
  ],
];

export const SHADOW: readonly MetricRow[] = [
  [
    "shadow.convergence_time",
    "histogram",
    "us",
    [...UPDATE, "since", "online"],
    "from the accepted update until reported and device state equal it and stay so",
  ],
  ["shadow.converged", "share", "count", UPDATE, "things converged now / things targeted and not superseded"],
  [
    "shadow.superseded",
    "counter",
    "count",
    UPDATE,
    "updates overtaken by a newer one on the same keys before convergence",
  ],
  ["shadow.diverged", "counter", "count", ["group"], "things whose delta is not empty"],
  [
    "shadow.divergence_area",
    "gauge",
    "thing-seconds",
    ["group"],
    "number of diverged things, integrated over time",
  ],
  ["shadow.conflicts", "counter", "count", ["group"], "updates rejected with 409, version conflict"],
  ["shadow.rejected", "counter", "count", ["group", "code"], "shadow requests rejected"],
  [
    "shadow.delta_messages_per_update",
    "ratio",
    "number",
    ["group"],
    "accepted updates that left a delta / updates of desired",
  ],
  [
    "shadow.false_convergence",
    "counter",
    "count",
    UPDATE,
    "things that reported an update their device state did not follow",
  ],
];

export const JOBS: readonly MetricRow[] = [
  ["job.status", "label", "none", JOB, "AWS job status"],
  ["job.terminal", "boolean", "none", JOB, "whether the job is completed or cancelled"],
  ["job.rate", "gauge", "per-minute", JOB, "things notified, per minute of the rollout"],
  ["job.notified", "counter", "count", JOB, "things that received the job or left QUEUED"],
  ["job.executed", "counter", "count", JOB, "things that reached SUCCEEDED, FAILED, TIMED_OUT or REJECTED"],
  ["job.succeeded", "counter", "count", JOB, "things in SUCCEEDED"],
  ["job.failed", "counter", "count", JOB, "things in FAILED, TIMED_OUT or REJECTED"],
  ["job.executions", "share", "count", [...JOB, "status"], "things in a status / targets"],
  [
    "job.abort.triggered",
    "boolean",
    "none",
    [...JOB, "criterion"],
    "whether an abort criterion cancelled the job",
  ],
  ["job.abort.time", "gauge", "us", JOB, "from the creation of the job to its cancellation by a criterion"],
  ["job.abort.detection_time", "gauge", "us", JOB, "from the first failure to the cancellation"],
  [
    "job.abort.lag",
    "gauge",
    "us",
    JOB,
    "from the instant a criterion was true on the executions to the cancellation",
  ],
  ["job.blast_radius.notified", "share", "count", JOB, "things notified / targets"],
  ["job.blast_radius.failed", "share", "count", JOB, "things failed, also after the abort / targets"],
  [
    "job.blast_radius.version",
    "share",
    "count",
    [...JOB, "version"],
    "things running the job's version now / targets",
  ],
  [
    "job.blast_radius.silent",
    "share",
    "count",
    JOB,
    "things not heard of for too long after their reboot / targets",
  ],
  [
    "job.in_progress_at_abort",
    "counter",
    "count",
    JOB,
    "executions in progress at the abort; AWS lets them finish",
  ],
  ["job.cancelled_queued", "counter", "count", JOB, "executions cancelled from QUEUED"],
  ["job.cancelled_in_progress", "counter", "count", JOB, "executions cancelled from IN_PROGRESS"],
  ["job.notified_after_abort", "counter", "count", JOB, "things first notified after the abort"],
  ["job.prevented", "gauge", "count", JOB, "failures of the same seed without abort - failures of this run"],
  [
    "job.false_abort_probability",
    "ratio",
    "ratio",
    JOB,
    "1 when the job aborted, else 0: over the control runs of a sweep, avg is the probability",
  ],
];

export const ACCESS: readonly MetricRow[] = [
  [
    "access.denied",
    "counter",
    "count",
    ["action", "group", "stage"],
    "what policies, or the lack of them, refused",
  ],
  [
    "provisioning.time",
    "histogram",
    "us",
    CONNECTION,
    "from the first dialling with a claim to the acceptance of RegisterThing",
  ],
  ["provisioning.failed", "counter", "count", ["group", "reason"], "devices that gave up provisioning"],
  [
    "provisioning.rejected",
    "counter",
    "count",
    ["group", "reason"],
    "requests for a certificate or to be provisioned that the cloud rejected, throttled ones aside",
  ],
  ["index.matches", "gauge", "count", ["query"], "things that a named query of the fleet index finds now"],
];

const METERS: readonly (readonly [name: string, definition: string])[] = [
  ["messages", "messages in units of 5 KiB as AWS bills them, those of the observer too"],
  ["rules_triggered", "rules triggered"],
  ["rule_actions", "actions of rules"],
  ["shadow_operations", "shadow operations in units of 1 KiB"],
  ["registry_operations", "registry operations over the API"],
  ["job_executions", "job executions, retries too"],
  ["index_queries", "queries of the fleet index"],
];

export const COST: readonly MetricRow[] = [
  [
    "cost.usd",
    "gauge",
    "usd",
    [],
    "what the run would have cost on AWS IoT, at the list prices of the report",
  ],
  ["meter.connection_minutes", "gauge", "number", [], "minutes of connection, those of the observer too"],
  ...METERS.map(([name, definition]): MetricRow => [`meter.${name}`, "counter", "count", [], definition]),
];

export const REST: readonly MetricRow[] = [
  [
    "fleet.firmware",
    "share",
    "count",
    ["version", "group"],
    "things running a firmware version / things that told theirs",
  ],
  ["rules.fired", "counter", "count", ["rule", "stage"], "times a rule's condition held"],
  ["rules.recall", "ratio", "ratio", ["rule"], "fired and should have / should have"],
  ["rules.precision", "ratio", "ratio", ["rule"], "fired and should have / fired"],
  [
    "rules.latency",
    "histogram",
    "us",
    ["rule", "stage"],
    "from the instant the trigger was scheduled to the arrival of the rule's output",
  ],
  [
    "rules.untimed",
    "counter",
    "count",
    ["rule"],
    "outputs missing from rules.latency because their trigger was too long ago to be timed",
  ],
  ["rules.errors", "counter", "count", ["rule"], "failed rule actions"],
  ["broker.connect_queue", "gauge", "count", [], "connections waiting for admission"],
  ["broker.queued", "gauge", "count", [], "messages queued for sessions"],
  ["broker.dropped", "counter", "count", ["group", "stage", "reason"], "messages the broker dropped"],
  ["broker.refused", "counter", "count", ["group", "stage", "reason"], "connections the broker refused"],
  [
    "generator.schedule_lag",
    "histogram",
    "us",
    MESSAGE,
    "from the instant the schedule wanted a message of a connected thing to its sending",
  ],
  ["generator.skipped", "gauge", "count", [], "sends abandoned because the previous one was still waiting"],
  ["process.rss", "gauge", "bytes", [], "resident memory of the process"],
  ["event_loop.utilisation", "gauge", "ratio", [], "share of time the event loop was busy"],
];
