import { isJsonObject, type JsonObject, nestingDepth } from "fleetrig/kernel";
import { isAcceptedJobId, isJobId } from "fleetrig/protocol";
import { cloudError } from "../cloud-error.js";
import { readWindow } from "./maintenance-window.js";
import { parseUtcTime } from "./schedule.js";

/**
 * CreateJob's input as a table (REF §6.1): one rule per field, parents before children. `[]` in a path stands
 * for every item of a list. Fields that no rule names are refused, so that a misspelled limit cannot
 * silently not apply.
 */
interface Rule {
  readonly path: string;
  readonly required?: boolean;
  /** Ends the sentence "<path> must be ...". */
  readonly expected: string;
  holds(value: unknown): boolean;
}

const MAX_DOCUMENT_CHARS = 32_768;
const MAX_DOCUMENT_DEPTH = 64;
export const MAX_TARGETS = 100;
const MAX_TARGET_CHARS = 2_048;

const isObject = (value: unknown): boolean => isJsonObject(value);
const isNumberBetween = (value: unknown, least: number, most: number): value is number =>
  typeof value === "number" && value >= least && value <= most;
const isTextUpTo = (value: unknown, chars: number): boolean =>
  typeof value === "string" && value.length <= chars;

/** At most `decimals` digits after the point, judged on the number's shortest decimal form. */
const hasDecimals = (value: number, decimals: number): boolean => Number(value.toFixed(decimals)) === value;

const object = (path: string, required = false): Rule => ({
  path,
  required,
  expected: "an object",
  holds: isObject,
});

const integer = (path: string, least: number, most: number, required = false): Rule => ({
  path,
  required,
  expected:
    most === Number.MAX_SAFE_INTEGER
      ? `an integer of at least ${least}`
      : `an integer from ${least} to ${most}`,
  holds: (value) => Number.isInteger(value) && isNumberBetween(value, least, most),
});

const oneOf = (path: string, choices: readonly string[], required = false): Rule => ({
  path,
  required,
  expected: `one of ${choices.join(", ")}`,
  holds: (value) => typeof value === "string" && choices.includes(value),
});

const list = (path: string, least: number, most: number, required = true): Rule => ({
  path,
  required,
  expected: `a list of ${least} to ${most} entries`,
  holds: (value) => Array.isArray(value) && isNumberBetween(value.length, least, most),
});

const text = (path: string, chars: number): Rule => ({
  path,
  expected: `text of at most ${chars} characters`,
  holds: (value) => isTextUpTo(value, chars),
});

const utcTime = (path: string): Rule => ({
  path,
  expected: "a UTC time such as 2026-11-21 16:00",
  holds: (value) => typeof value === "string" && parseUtcTime(value) !== undefined,
});

const ANY = Number.MAX_SAFE_INTEGER;
const RATE = "jobExecutionsRolloutConfig.exponentialRate";
const ABORT = "abortConfig.criteriaList";
const RETRY = "jobExecutionsRetryConfig.criteriaList";
const WINDOWS = "schedulingConfig.maintenanceWindows";

/** What CreateJob and UpdateJob share. */
const CONFIG_RULES: readonly Rule[] = [
  text("description", 2_028),
  object("jobExecutionsRolloutConfig"),
  integer("jobExecutionsRolloutConfig.maximumPerMinute", 1, 1_000),
  object(RATE),
  integer(`${RATE}.baseRatePerMinute`, 1, 1_000, true),
  {
    path: `${RATE}.incrementFactor`,
    required: true,
    expected: "a number from 1.1 to 5 with one decimal",
    holds: (value) => isNumberBetween(value, 1.1, 5) && hasDecimals(value, 1),
  },
  {
    path: `${RATE}.rateIncreaseCriteria`,
    required: true,
    expected: "either numberOfNotifiedThings or numberOfSucceededThings",
    holds: (value) => isJsonObject(value) && Object.keys(value).length === 1,
  },
  integer(`${RATE}.rateIncreaseCriteria.numberOfNotifiedThings`, 1, ANY),
  integer(`${RATE}.rateIncreaseCriteria.numberOfSucceededThings`, 1, ANY),
  object("abortConfig"),
  list(ABORT, 1, 100),
  object(`${ABORT}[]`),
  oneOf(`${ABORT}[].failureType`, ["FAILED", "REJECTED", "TIMED_OUT", "ALL"], true),
  oneOf(`${ABORT}[].action`, ["CANCEL"], true),
  {
    path: `${ABORT}[].thresholdPercentage`,
    required: true,
    expected: "more than 0 and at most 100, with up to two decimals",
    holds: (value) => isNumberBetween(value, 0, 100) && value > 0 && hasDecimals(value, 2),
  },
  integer(`${ABORT}[].minNumberOfExecutedThings`, 1, ANY, true),
  object("timeoutConfig"),
  integer("timeoutConfig.inProgressTimeoutInMinutes", 1, 10_080),
  object("jobExecutionsRetryConfig"),
  {
    path: RETRY,
    required: true,
    expected: "a list of 1 or 2 entries with at most 10 retries together",
    holds: (value) =>
      Array.isArray(value) &&
      isNumberBetween(value.length, 1, 2) &&
      value.reduce((sum: number, entry: unknown) => sum + retriesOf(entry), 0) <= 10,
  },
  object(`${RETRY}[]`),
  oneOf(`${RETRY}[].failureType`, ["FAILED", "TIMED_OUT", "ALL"], true),
  integer(`${RETRY}[].numberOfRetries`, 0, 10, true),
  object("presignedUrlConfig"),
  text("presignedUrlConfig.roleArn", 2_048),
  integer("presignedUrlConfig.expiresInSec", 60, 3_600),
];

const retriesOf = (entry: unknown): number =>
  isJsonObject(entry) && typeof entry["numberOfRetries"] === "number" ? entry["numberOfRetries"] : 0;

const JOB_ID: Rule = {
  path: "jobId",
  required: true,
  expected: "1 to 64 characters of a-z, A-Z, 0-9, _, - and .",
  holds: (value) => typeof value === "string" && isAcceptedJobId(value),
};

const DOCUMENT: Rule = {
  path: "document",
  required: true,
  expected: `a JSON object of at most ${MAX_DOCUMENT_CHARS} characters`,
  holds: (value) => readDocument(value) !== undefined,
};

function windowRules(windows: string): readonly Rule[] {
  return [
    {
      path: `${windows}[].startTime`,
      required: true,
      expected: "a cron expression of six fields such as cron(0 18 * * ? *)",
      holds: (value) =>
        typeof value === "string" && readWindow({ startTime: value, durationInMinutes: 1 }) !== undefined,
    },
    integer(`${windows}[].durationInMinutes`, 1, 1_430, true),
  ];
}

const CREATE_RULES: readonly Rule[] = [
  JOB_ID,
  {
    path: "targets",
    required: true,
    expected: `a list of 1 to ${MAX_TARGETS} thing or thing-group names or ARNs`,
    holds: (value) =>
      Array.isArray(value) &&
      isNumberBetween(value.length, 1, MAX_TARGETS) &&
      value.every((target) => isTextUpTo(target, MAX_TARGET_CHARS) && target !== ""),
  },
  DOCUMENT,
  object("origin"),
  oneOf("targetSelection", ["SNAPSHOT", "CONTINUOUS"]),
  {
    path: "tags",
    expected: "a list of at most 50 tags",
    holds: (value) => Array.isArray(value) && value.length <= 50,
  },
  ...CONFIG_RULES,
  object("schedulingConfig"),
  utcTime("schedulingConfig.startTime"),
  utcTime("schedulingConfig.endTime"),
  oneOf("schedulingConfig.endBehavior", ["STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL"]),
  list(WINDOWS, 1, 100, false),
  object(`${WINDOWS}[]`),
  ...windowRules(WINDOWS),
];

const TEMPLATE_RULES: readonly Rule[] = [
  {
    path: "jobTemplateId",
    required: true,
    expected: "1 to 64 characters of a-z, A-Z, 0-9, _ and -",
    holds: (value) => typeof value === "string" && isJobId(value),
  },
  DOCUMENT,
  text("documentSource", 1_350),
  list("maintenanceWindows", 1, 100, false),
  object("maintenanceWindows[]"),
  ...windowRules("maintenanceWindows"),
  ...CONFIG_RULES,
];

const UPDATE_RULES: readonly Rule[] = [JOB_ID, ...CONFIG_RULES];

/** Documented inputs that this service does not offer, with what to do instead. */
const UNSUPPORTED: readonly (readonly [path: string, hint: string])[] = [
  [
    "documentSource",
    "Only the AWS API reads documents from elsewhere; here, put the document into document.",
  ],
  ["documentParameters", "Only the AWS API fills in managed templates; here, put the values into document."],
  ["jobTemplateArn", "Only the AWS API knows job templates; here, spell the job out."],
  ["destinationPackageVersions", "The software package catalog is not available."],
  ["namespaceId", "Leave it out: notifications use the default topics."],
];

/** Text of a document and the object it says; undefined when it is neither within the limits nor an object. */
export function readDocument(document: unknown): { value: JsonObject; text: string } | undefined {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  if (text === undefined || text.length > MAX_DOCUMENT_CHARS || nestingDepth(text) > MAX_DOCUMENT_DEPTH)
    return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? { value, text } : undefined;
  } catch {
    return undefined;
  }
}

/** @throws CLOUD_INVALID_REQUEST or CLOUD_NOT_IMPLEMENTED, naming the first field at fault. */
export const checkCreateJob = (request: unknown): void => check(request, CREATE_RULES);

/** @throws CLOUD_INVALID_REQUEST, naming the first field at fault. */
export const checkJobTemplate = (request: unknown): void => check(request, TEMPLATE_RULES);

/** @throws CLOUD_INVALID_REQUEST, also when retries are set to anything but 0. */
export function checkUpdateJob(request: unknown): void {
  check(request, UPDATE_RULES);
  const retries = valuesAt(request, `${RETRY}[].numberOfRetries`).some(({ value }) => value !== 0);
  if (retries) throw invalid("jobExecutionsRetryConfig", "UpdateJob can only set numberOfRetries to 0.");
}

function check(request: unknown, rules: readonly Rule[]): void {
  if (!isJsonObject(request)) throw invalid("request", "The request must be an object.");
  const known = new Set(rules.map(({ path }) => path));
  for (const [path, hint] of UNSUPPORTED) {
    if (known.has(path)) continue;
    if (valuesAt(request, path).some(({ value }) => value !== undefined))
      throw cloudError("NotImplementedException", `${path} is not supported.`, {
        hint,
        context: { field: path },
      });
  }
  for (const rule of rules) checkRule(request, rule);
  checkNames(request, "", known);
}

function checkRule(request: JsonObject, rule: Rule): void {
  for (const { path, value } of valuesAt(request, rule.path)) {
    if (value === undefined ? rule.required === true : !rule.holds(value))
      throw invalid(path, `${path} must be ${rule.expected}.`);
  }
}

/** Objects whose members are the user's own, or are judged by their own rule. */
const OPEN = new Set(["document", "origin", "tags", "targets"]);

function checkNames(value: unknown, path: string, known: ReadonlySet<string>): void {
  if (OPEN.has(path)) return;
  if (Array.isArray(value)) {
    for (const item of value) checkNames(item, `${path}[]`, known);
  } else if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      const child = path === "" ? name : `${path}.${name}`;
      if (!known.has(child)) throw invalid(child, `${child} is not a field of this request.`);
      checkNames(value[name], child, known);
    }
  }
}

const invalid = (field: string, message: string) =>
  cloudError("InvalidRequestException", message, { context: { field } });

interface Located {
  readonly path: string;
  readonly value: unknown;
}

/** The values that a path leads to. Absent parents lead nowhere; an absent last member is undefined. */
function valuesAt(root: unknown, path: string): readonly Located[] {
  let found: Located[] = [{ path: "", value: root }];
  for (const segment of path.split(".")) {
    const isList = segment.endsWith("[]");
    const name = isList ? segment.slice(0, -2) : segment;
    found = found.flatMap((parent) => member(parent, name));
    if (isList) found = found.flatMap(items);
  }
  return found;
}

function member(parent: Located, name: string): Located[] {
  if (!isJsonObject(parent.value)) return [];
  const path = parent.path === "" ? name : `${parent.path}.${name}`;
  return [{ path, value: Object.hasOwn(parent.value, name) ? parent.value[name] : undefined }];
}

const items = ({ path, value }: Located): Located[] =>
  Array.isArray(value) ? value.map((item: unknown, i) => ({ path: `${path}[${i}]`, value: item })) : [];
