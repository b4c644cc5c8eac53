import type { EventSink, ExecutionStatus, RunEvent } from "fleetrig/kernel";
import type { ServerReading } from "../observe/server-reading.js";

/** CloudWatch's metrics of namespace AWS/IoT (REF §16), as counters: `Connect.Success` is `aws_iot_connect_success_total`. */
const PREFIX = "aws_iot_";
/** Rules and jobs with counters of their own; all others share one without a name. */
const MAX_SERIES = 1_000;

/** Counters that are read from what the broker counts anyway. */
const READ: readonly (readonly [name: string, aws: string, read: (reading: ServerReading) => number])[] = [
  ["connect_success_total", "Connect.Success", ({ engine }) => engine.connected],
  ["ping_success_total", "Ping.Success", ({ traffic }) => traffic.packetsReceived.pingreq],
  [
    "publish_in_success_total",
    "PublishIn.Success",
    ({ traffic, drops }) =>
      traffic.receivedMessages - (drops["publish-denied"] ?? 0) - (drops["publish-rate"] ?? 0),
  ],
  ["publish_in_auth_error_total", "PublishIn.AuthError", ({ drops }) => drops["publish-denied"] ?? 0],
  ["publish_in_throttle_total", "PublishIn.Throttle", ({ drops }) => drops["publish-rate"] ?? 0],
  ["publish_out_success_total", "PublishOut.Success", ({ engine }) => engine.delivered],
  ["publish_out_auth_error_total", "PublishOut.AuthError", ({ drops }) => drops["receive-denied"] ?? 0],
  ["queued_throttle_total", "Queued.Throttle", ({ drops }) => drops["store-rate"] ?? 0],
  ["subscribe_auth_error_total", "Subscribe.AuthError", ({ denials }) => denials.subscribe],
  ["unsubscribe_success_total", "Unsubscribe.Success", ({ traffic }) => traffic.packetsReceived.unsubscribe],
  [
    "throttle_exceeded_total",
    "Throttle.Exceeded",
    ({ drops }) => (drops["publish-rate"] ?? 0) + (drops["store-rate"] ?? 0),
  ],
];

/** Counters of what events tell. The misspelling is AWS's. */
const COUNTED = {
  connect_auth_error_total: "Connect.AuthError",
  connection_authn_error_total: "Connection.AuthNError",
  credential_exchange_success_total: "CredentialExchangeSuccess",
  delete_thing_shadow_accepted_total: "DeleteThingShadow.Accepted",
  failure_total: "Failure, by RuleName",
  failed_job_execution_total: "FailedJobExecutionTotalCount, by JobId",
  canceled_job_execution_total: "CanceledJobExecutionTotalCount, by JobId",
  in_progress_job_execution_total: "InProgressJobExecutionTotalCount, by JobId",
  provision_thing_success_total: "ProvisionThing.Success",
  queued_job_execution_total: "QueuedJobExecutionTotalCount, by JobId",
  register_thing_failed_total: "RegisterThingFailed",
  rejected_job_execution_total: "RejectedJobExecutionTotalCount, by JobId",
  removed_job_execution_total: "RemovedJobExecutionTotalCount, by JobId",
  succeded_job_execution_total: "SuccededJobExecutionTotalCount, by JobId",
  topic_match_total: "TopicMatch, by RuleName",
  update_thing_shadow_accepted_total: "UpdateThingShadow.Accepted",
} as const;

type CountedName = keyof typeof COUNTED;

const BY_STATUS: Readonly<Partial<Record<ExecutionStatus, CountedName>>> = {
  CANCELED: "canceled_job_execution_total",
  FAILED: "failed_job_execution_total",
  IN_PROGRESS: "in_progress_job_execution_total",
  QUEUED: "queued_job_execution_total",
  REJECTED: "rejected_job_execution_total",
  REMOVED: "removed_job_execution_total",
  SUCCEEDED: "succeded_job_execution_total",
};

interface Counted {
  readonly name: CountedName;
  readonly label?: readonly [name: "rule_name" | "job_id", value: string];
}

/** Counts events, and says it with the broker's counters in the text format of Prometheus. */
export class AwsMetrics implements EventSink {
  private readonly counts = new Map<CountedName, Map<string, number>>();

  emit(event: RunEvent): void {
    const counted = countedBy(event);
    if (counted !== undefined) this.count(counted);
  }

  count({ name, label }: Counted): void {
    let series = this.counts.get(name);
    if (series === undefined) {
      series = new Map();
      this.counts.set(name, series);
    }
    const labels = label === undefined ? "" : `{${label[0]}="${escaped(label[1])}"}`;
    const key = series.has(labels) || series.size < MAX_SERIES ? labels : "";
    series.set(key, (series.get(key) ?? 0) + 1);
  }

  render(reading: ServerReading): string {
    const lines: string[] = [];
    for (const [name, aws, read] of READ) lines.push(...head(name, aws), `${PREFIX}${name} ${read(reading)}`);
    for (const [name, aws] of Object.entries(COUNTED)) {
      lines.push(...head(name, aws));
      const series = this.counts.get(name as CountedName) ?? new Map([["", 0]]);
      for (const [labels, count] of series) lines.push(`${PREFIX}${name}${labels} ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

const head = (name: string, aws: string): readonly string[] => [
  `# HELP ${PREFIX}${name} CloudWatch: AWS/IoT ${aws}.`,
  `# TYPE ${PREFIX}${name} counter`,
];

const escaped = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function countedBy(event: RunEvent): Counted | undefined {
  switch (event.type) {
    case "access.denied":
      if (event.action !== "iot:Connect") return undefined;
      return {
        name: event.outcome === "credentials" ? "connection_authn_error_total" : "connect_auth_error_total",
      };
    case "shadow.accepted":
      return { name: "update_thing_shadow_accepted_total" };
    case "shadow.deleted":
      return { name: "delete_thing_shadow_accepted_total" };
    case "rule.fired":
      return { name: "topic_match_total", label: ["rule_name", event.rule] };
    case "rule.error":
      return { name: "failure_total", label: ["rule_name", event.rule] };
    case "job.execution": {
      const name = BY_STATUS[event.status];
      return name === undefined ? undefined : { name, label: ["job_id", event.jobId] };
    }
    case "provisioning.provisioned":
      return { name: "provision_thing_success_total" };
    case "provisioning.rejected":
      return { name: "register_thing_failed_total" };
    default:
      return undefined;
  }
}
