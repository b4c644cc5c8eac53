import {
  FleetrigError,
  isJsonObject,
  type JsonObject,
  jsonEqual,
  type JsonValue,
  parseJson,
} from "fleetrig/kernel";
import { jobsTopicPrefix, parseReservedTopic, shadowTopicPrefix } from "fleetrig/protocol";
import type { CaseScript, Line, Stage } from "../endpoint/case-script.js";
import type { CaseEvidence, PublishNote } from "../evidence.js";
import { absence, connectsOf, publishesOf, toMs } from "../evidence-reader.js";
import { failed, inconclusive, type Judgement, passed } from "../judgement.js";
import type { CaseParameters } from "../parameters.js";
import type { QualificationCase } from "../qualification-case.js";

/** AWS: what tells the test's update from others. */
const CLIENT_TOKEN = "DeviceAdvisorShadowTestCaseSetup";
const DEFAULT_DESIRED: JsonObject = { fleetrigQualify: 1 };
const DEFAULT_JOB: JsonObject = { operation: "ota", version: "1.0.1" };
const JOB_ID = "fleetrig-qualify";
const DEPTH_MAX = 16;

const desiredOf = ({ DESIRED_STATE = DEFAULT_DESIRED }: CaseParameters): JsonObject => DESIRED_STATE;

/** What an update of the device's shadow reports; undefined when it is none. */
function reportedIn({ topic, payload }: PublishNote, shadowName: string | undefined): JsonValue | undefined {
  const parsed = parseReservedTopic(topic);
  if (parsed?.service !== "shadow" || parsed.operation !== "update" || parsed.shadowName !== shadowName)
    return undefined;
  const body = parseJson(payload, DEPTH_MAX);
  if (!body.ok || !isJsonObject(body.value)) return undefined;
  const { state } = body.value;
  return isJsonObject(state) ? state["reported"] : undefined;
}

function judgeReported(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const { REPORTED_STATE, SHADOW_NAME } = parameters;
  const reports = publishesOf(evidence).flatMap(({ publish, atUs }) => {
    const reported = reportedIn(publish, SHADOW_NAME);
    return reported === undefined ? [] : [{ reported, atUs }];
  });
  const found = reports.find(
    ({ reported }) => REPORTED_STATE === undefined || jsonEqual(reported, REPORTED_STATE),
  );
  if (found !== undefined)
    return passed({ measurements: [{ name: "reported", value: JSON.stringify(found.reported) }] });
  if (!evidence.isOver) return undefined;
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  const last = reports.at(-1);
  return failed(
    last === undefined
      ? "The device reported no state to its shadow."
      : `The device reported ${JSON.stringify(last.reported)}, not the state that the test wants.`,
  );
}

/** Sets the desired state once the device listens for changes, and follows what it reports. */
function settingDesired(stage: Stage): CaseScript {
  const { SHADOW_NAME: shadowName } = stage.parameters;
  const follow = (line: Line): void => {
    const document = stage.cloud.shadows.get({ thing: line.clientId, shadowName });
    if (!document.ok) return;
    const { state } = document.body() as { readonly state?: JsonValue };
    if (state !== undefined) stage.outcome("shadow", state);
  };
  return oncePerDevice(stage, {
    prefix: (line) => shadowTopicPrefix(line.clientId, shadowName),
    begin: (line) => {
      const state = { desired: desiredOf(stage.parameters) };
      stage.cloud.shadows.update({
        thing: line.clientId,
        shadowName,
        payload: { state, clientToken: CLIENT_TOKEN },
      });
    },
    follow,
  });
}

interface ServiceScript {
  /** Topics of the service. */
  readonly prefix: (line: Line) => string;
  readonly begin: (line: Line) => void;
  readonly follow: (line: Line) => void;
}

/** Begins when the device first turns to the service. */
function oncePerDevice(stage: Stage, { prefix, begin, follow }: ServiceScript): CaseScript {
  let isBegun = false;
  return {
    served: (note, line) => {
      const topics =
        note.publish === undefined ? (note.filters ?? []).map(({ filter }) => filter) : [note.publish.topic];
      if (!topics.some((topic) => topic.startsWith(prefix(line)) || topic.startsWith("$aws/things/+/")))
        return;
      if (!isBegun) {
        isBegun = true;
        // Not in the middle of what the device is being answered.
        stage.after(0, () => beginSafely(stage, () => begin(line)));
      } else {
        follow(line);
      }
    },
  };
}

/** A client id that can be no thing's name is the device's fault, and no reason to end. */
function beginSafely(stage: Stage, begin: () => void): void {
  try {
    begin();
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    stage.outcome("obstacle", error.sentence);
  }
}

function judgeConverged(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const desired = desiredOf(parameters);
  const { shadow } = evidence.outcomes;
  const reported = isJsonObject(shadow) ? shadow["reported"] : undefined;
  if (isJsonObject(reported) && holds(reported, desired)) {
    const setUs = evidence.packets.find(({ publish }) => publish?.payload.includes(CLIENT_TOKEN))?.atUs;
    const last = publishesOf(evidence).findLast(
      ({ publish }) => reportedIn(publish, parameters.SHADOW_NAME) !== undefined,
    );
    return passed({
      measurements: [
        { name: "reported", value: JSON.stringify(reported) },
        ...(setUs === undefined || last === undefined
          ? []
          : [{ name: "converged after", value: toMs(last.atUs - setUs), unit: "ms" }]),
      ],
    });
  }
  if (!evidence.isOver) return undefined;
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  return failed(
    reported === undefined
      ? `The device did not report the desired state ${JSON.stringify(desired)}.`
      : `The device reported ${JSON.stringify(reported)}, and ${JSON.stringify(desired)} was desired.`,
  );
}

/** Everything desired is reported; more may be. */
const holds = (reported: JsonValue, desired: JsonValue): boolean =>
  isJsonObject(desired)
    ? isJsonObject(reported) &&
      Object.entries(desired).every(
        ([key, value]) => Object.hasOwn(reported, key) && holds(reported[key]!, value),
      )
    : jsonEqual(reported, desired);

function offeringJob(stage: Stage): CaseScript {
  return oncePerDevice(stage, {
    prefix: (line) => jobsTopicPrefix(line.clientId),
    begin: (line) => {
      const { registry, jobs } = stage.cloud;
      registry.createThing({ thingName: line.clientId });
      jobs.createJob({
        jobId: JOB_ID,
        targets: [line.clientId],
        document: stage.parameters.JOB_DOCUMENT ?? DEFAULT_JOB,
      });
    },
    follow: (line) => {
      const execution = executionOf(stage, line.clientId);
      if (execution !== undefined) stage.outcome("job", execution);
    },
  });
}

function executionOf({ cloud }: Stage, thingName: string): JsonObject | undefined {
  try {
    const { execution } = cloud.jobs.describeJobExecution({ jobId: JOB_ID, thingName });
    if (!isJsonObject(execution)) return undefined;
    const { status = null, statusDetails = null } = execution;
    return { status, statusDetails };
  } catch (error) {
    if (error instanceof FleetrigError) return undefined;
    throw error;
  }
}

const textOf = (value: JsonValue | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? null);

const ENDED_BADLY = new Set(["FAILED", "REJECTED", "TIMED_OUT", "CANCELED", "REMOVED"]);

function judgeJob(evidence: CaseEvidence): Judgement | undefined {
  const { job } = evidence.outcomes;
  const status = isJsonObject(job) ? textOf(job["status"]) : undefined;
  const details = isJsonObject(job) ? JSON.stringify(job["statusDetails"]) : "";
  if (status === "SUCCEEDED") {
    const statuses = jobStatuses(evidence);
    return passed({ measurements: [{ name: "statuses", value: statuses.join(", ") }] });
  }
  if (status !== undefined && ENDED_BADLY.has(status))
    return failed(`The device ended the job execution as ${status}, with ${details}.`);
  if (!evidence.isOver) return undefined;
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  return failed(
    status === undefined
      ? "The device never turned to the Jobs service."
      : `The job execution is still ${status}.`,
  );
}

/** In the order in which the device said them, each once. */
function jobStatuses(evidence: CaseEvidence): string[] {
  const said = publishesOf(evidence).flatMap(({ publish }) => {
    const parsed = parseReservedTopic(publish.topic);
    if (parsed?.service !== "jobs" || parsed.operation !== "update") return [];
    const body = parseJson(publish.payload, DEPTH_MAX);
    return body.ok && isJsonObject(body.value) ? [textOf(body.value["status"])] : [];
  });
  return [...new Set(said)];
}

export const serviceCases: readonly QualificationCase[] = [
  {
    id: "Shadow_Publish_Reported_State",
    group: "Shadow",
    title: "reports a state to its shadow",
    accepts: ["REPORTED_STATE", "SHADOW_NAME", "DESIRED_STATE"],
    script: settingDesired,
    judge: judgeReported,
  },
  {
    id: "Shadow_Update_Reported_State",
    group: "Shadow",
    title: "takes over the desired state and reports it",
    accepts: ["DESIRED_STATE", "SHADOW_NAME"],
    script: settingDesired,
    judge: judgeConverged,
  },
  {
    id: "Job_Execution",
    group: "Job",
    title: "completes a job execution",
    accepts: ["JOB_DOCUMENT"],
    model: "ota-device",
    script: offeringJob,
    judge: judgeJob,
  },
];
