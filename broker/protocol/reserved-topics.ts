import { type CommandTopic, formatCommandTopic, parseCommandTopic } from "./command-topics.js";
import {
  formatProvisioningTopic,
  parseProvisioningTopic,
  type ProvisioningTopic,
} from "./provisioning-topics.js";
import { formatStreamTopic, parseStreamTopic, type StreamTopic } from "./stream-topics.js";

/**
 * Topics that mean something to the cloud (REF §3). A topic whose names are outside AWS's character sets is
 * not one of them: `parseReservedTopic` answers undefined, and the broker treats it like any unknown `$` topic.
 *
 * `message` tells the two directions apart: a "request" is what a client publishes, everything else is what
 * the cloud publishes.
 */
export type ReservedTopic =
  | ShadowTopic
  | JobsTopic
  | StreamTopic
  | CommandTopic
  | EventsTopic
  | RulesTopic
  | ProvisioningTopic;

/** What a shadow topic is about. */
export type ShadowOperation = "get" | "update" | "delete";
/** The request itself, one of its answers, or a message to whoever follows the shadow. */
export type ShadowMessage = "request" | "accepted" | "rejected" | "delta" | "documents";

/** A topic of `$aws/things/<thing>/shadow/…`. */
export interface ShadowTopic {
  readonly service: "shadow";
  readonly thing: string;
  /** Undefined for the classic shadow. */
  readonly shadowName: string | undefined;
  readonly operation: ShadowOperation;
  readonly message: ShadowMessage;
}

/** What a jobs topic is about. */
export type JobsOperation = "get-pending" | "start-next" | "describe" | "update" | "notify" | "notify-next";
/** The request itself, one of its answers, or a notification. */
export type JobsMessage = "request" | "accepted" | "rejected" | "notification";

/** A topic of `$aws/things/<thing>/jobs/…`. */
export interface JobsTopic {
  readonly service: "jobs";
  readonly thing: string;
  /** Only for describe and update; `$next` is possible for describe. */
  readonly jobId: string | undefined;
  readonly operation: JobsOperation;
  readonly message: JobsMessage;
}

/** Everything below `$aws/events/`; only the cloud publishes there. */
export interface EventsTopic {
  readonly service: "events";
  /** First level, e.g. `presence`, `jobExecution`. */
  readonly category: string;
  /** The levels after the category, e.g. `connected/hq-1`. */
  readonly path: string;
}

/** Basic Ingest: goes to one rule and to no subscriber. */
export interface RulesTopic {
  readonly service: "rules";
  readonly rule: string;
  /** The levels after the rule's name; what `topic()` sees. Empty when there are none. */
  readonly topic: string;
}

/** AWS: 1 to 128 letters, digits, colons, underscores and hyphens. */
export const isThingName = (text: string): boolean => /^[a-zA-Z0-9:_-]{1,128}$/.test(text);
/** AWS: 1 to 64 letters, digits, `$`, colons, underscores and hyphens. */
export const isShadowName = (text: string): boolean => /^[$a-zA-Z0-9:_-]{1,64}$/.test(text);
/** AWS: 1 to 64 letters, digits, underscores and hyphens. */
export const isJobId = (text: string): boolean => /^[a-zA-Z0-9_-]{1,64}$/.test(text);
/** What this cloud takes as a job id: AWS's, and the dot, because version numbers are so common. */
export const isAcceptedJobId = (text: string): boolean => /^[a-zA-Z0-9_.-]{1,64}$/.test(text);
/** AWS: 1 to 128 letters, digits and underscores. */
export const isRuleName = (text: string): boolean => /^[a-zA-Z0-9_]{1,128}$/.test(text);

const ROOT = "$aws/";
const THINGS = "$aws/things/";
const RULES = "$aws/rules/";
const EVENTS = "$aws/events/";
const COMMANDS = "$aws/commands/";

const SHADOW_SUFFIXES: ReadonlyMap<string, Pick<ShadowTopic, "operation" | "message">> = new Map([
  ["get", { operation: "get", message: "request" }],
  ["get/accepted", { operation: "get", message: "accepted" }],
  ["get/rejected", { operation: "get", message: "rejected" }],
  ["update", { operation: "update", message: "request" }],
  ["update/accepted", { operation: "update", message: "accepted" }],
  ["update/rejected", { operation: "update", message: "rejected" }],
  ["update/delta", { operation: "update", message: "delta" }],
  ["update/documents", { operation: "update", message: "documents" }],
  ["delete", { operation: "delete", message: "request" }],
  ["delete/accepted", { operation: "delete", message: "accepted" }],
  ["delete/rejected", { operation: "delete", message: "rejected" }],
]);

const JOBS_SUFFIXES: ReadonlyMap<string, Pick<JobsTopic, "operation" | "message">> = new Map([
  ["get", { operation: "get-pending", message: "request" }],
  ["get/accepted", { operation: "get-pending", message: "accepted" }],
  ["get/rejected", { operation: "get-pending", message: "rejected" }],
  ["start-next", { operation: "start-next", message: "request" }],
  ["start-next/accepted", { operation: "start-next", message: "accepted" }],
  ["start-next/rejected", { operation: "start-next", message: "rejected" }],
  ["notify", { operation: "notify", message: "notification" }],
  ["notify-next", { operation: "notify-next", message: "notification" }],
]);

/** What may follow `jobs/<jobId>/`. */
const JOB_SUFFIXES: ReadonlyMap<string, Pick<JobsTopic, "operation" | "message">> = new Map([
  ["get", { operation: "describe", message: "request" }],
  ["get/accepted", { operation: "describe", message: "accepted" }],
  ["get/rejected", { operation: "describe", message: "rejected" }],
  ["update", { operation: "update", message: "request" }],
  ["update/accepted", { operation: "update", message: "accepted" }],
  ["update/rejected", { operation: "update", message: "rejected" }],
]);

/** Below `$aws/`: not for clients' own use. One comparison, for the broker's hot path. */
export const isReservedTopic = (topic: string): boolean => topic.startsWith(ROOT);

/** Reads a topic of a cloud service; undefined for every other topic. */
export function parseReservedTopic(topic: string): ReservedTopic | undefined {
  if (!topic.startsWith(ROOT)) return undefined;
  if (topic.startsWith(THINGS)) return parseThingTopic(topic);
  if (topic.startsWith(RULES)) return parseRulesTopic(topic);
  if (topic.startsWith(EVENTS)) return parseEventsTopic(topic);
  if (topic.startsWith(COMMANDS)) return parseCommandTopic(topic);
  return parseProvisioningTopic(topic);
}

function parseThingTopic(topic: string): ShadowTopic | JobsTopic | StreamTopic | undefined {
  const end = topic.indexOf("/", THINGS.length);
  const thing = topic.slice(THINGS.length, end);
  if (end === -1 || !isThingName(thing)) return undefined;
  if (topic.startsWith("shadow/", end + 1)) return parseShadowTopic(thing, topic.slice(end + 8));
  if (topic.startsWith("jobs/", end + 1)) return parseJobsTopic(thing, topic.slice(end + 6));
  if (topic.startsWith("streams/", end + 1)) return parseStreamTopic(thing, topic.slice(end + 9));
  return undefined;
}

function parseShadowTopic(thing: string, rest: string): ShadowTopic | undefined {
  if (!rest.startsWith("name/")) {
    const classic = SHADOW_SUFFIXES.get(rest);
    return classic && { service: "shadow", thing, shadowName: undefined, ...classic };
  }
  const end = rest.indexOf("/", 5);
  const shadowName = rest.slice(5, end);
  const named = SHADOW_SUFFIXES.get(rest.slice(end + 1));
  if (end === -1 || named === undefined || !isShadowName(shadowName)) return undefined;
  return { service: "shadow", thing, shadowName, ...named };
}

function parseJobsTopic(thing: string, rest: string): JobsTopic | undefined {
  const plain = JOBS_SUFFIXES.get(rest);
  if (plain !== undefined) return { service: "jobs", thing, jobId: undefined, ...plain };
  const end = rest.indexOf("/");
  const jobId = rest.slice(0, end);
  const ofJob = JOB_SUFFIXES.get(rest.slice(end + 1));
  if (end === -1 || ofJob === undefined) return undefined;
  const isAddressable = isAcceptedJobId(jobId) || (jobId === "$next" && ofJob.operation === "describe");
  return isAddressable ? { service: "jobs", thing, jobId, ...ofJob } : undefined;
}

function parseRulesTopic(topic: string): RulesTopic | undefined {
  const slash = topic.indexOf("/", RULES.length);
  const end = slash === -1 ? topic.length : slash;
  const rule = topic.slice(RULES.length, end);
  return isRuleName(rule) ? { service: "rules", rule, topic: topic.slice(end + 1) } : undefined;
}

function parseEventsTopic(topic: string): EventsTopic | undefined {
  const end = topic.indexOf("/", EVENTS.length);
  if (end <= EVENTS.length) return undefined;
  return { service: "events", category: topic.slice(EVENTS.length, end), path: topic.slice(end + 1) };
}

/** `$aws/things/T/shadow` or `$aws/things/T/shadow/name/S`; append `/update/accepted` and the like. */
export const shadowTopicPrefix = (thing: string, shadowName: string | undefined): string =>
  shadowName === undefined ? `${THINGS}${thing}/shadow` : `${THINGS}${thing}/shadow/name/${shadowName}`;

/** `$aws/things/T/jobs`; append `/start-next` and the like. */
export const jobsTopicPrefix = (thing: string): string => `${THINGS}${thing}/jobs`;

const JOBS_PATHS = {
  "get-pending": "get",
  "start-next": "start-next",
  describe: "get",
  update: "update",
  notify: "notify",
  "notify-next": "notify-next",
} as const satisfies Record<JobsOperation, string>;

/** Inverse of `parseReservedTopic` for one reserved topic. */
export function formatReservedTopic(topic: ReservedTopic): string {
  switch (topic.service) {
    case "shadow": {
      const base = `${shadowTopicPrefix(topic.thing, topic.shadowName)}/${topic.operation}`;
      return topic.message === "request" ? base : `${base}/${topic.message}`;
    }
    case "jobs": {
      const job = topic.jobId === undefined ? "" : `${topic.jobId}/`;
      const base = `${jobsTopicPrefix(topic.thing)}/${job}${JOBS_PATHS[topic.operation]}`;
      return topic.message === "accepted" || topic.message === "rejected" ? `${base}/${topic.message}` : base;
    }
    case "events":
      return `${EVENTS}${topic.category}/${topic.path}`;
    case "provisioning":
      return formatProvisioningTopic(topic);
    case "commands":
      return formatCommandTopic(topic);
    case "streams":
      return formatStreamTopic(topic);
    case "rules":
      return topic.topic === "" ? `${RULES}${topic.rule}` : `${RULES}${topic.rule}/${topic.topic}`;
  }
}

/** `$aws/events/<category>/<level>/…`, e.g. `eventsTopic("presence", "connected", clientId)`. */
export const eventsTopic = (category: string, ...levels: readonly string[]): string =>
  `${EVENTS}${category}/${levels.join("/")}`;
