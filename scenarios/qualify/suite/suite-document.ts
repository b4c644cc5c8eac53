import { z } from "zod";
import { message } from "../../schema/message.js";
import { findCase, QUALIFICATION_CASES } from "../cases/index.js";
import { type ParameterName, parameterSchemas } from "../parameters.js";
import type { QualificationCase } from "../qualification-case.js";

/** The suite file: which cases run, and what they are told. */
const NAMES = Object.keys(parameterSchemas) as ParameterName[];
const CASES_MAX = 50;

const everyParameter = z.strictObject(parameterSchemas, { error: unknownKeys(NAMES) }).partial();

const ids = QUALIFICATION_CASES.map(({ id }) => id) as [string, ...string[]];

const caseId = z.preprocess(
  (value) => (typeof value === "string" ? (findCase(value)?.id ?? value) : value),
  z.enum(ids, { error: message("There is no such case.", "fleetrig qualify --list shows them all.") }),
);

const configured = z.strictObject(
  {
    id: caseId,
    /** For reports, where a case runs twice. */
    name: z.string().min(1).max(100).optional(),
    configuration: everyParameter.optional(),
  },
  { error: unknownKeys(["id", "name", "configuration"]) },
);

export const suiteDocument = z.strictObject(
  {
    version: z.literal(1),
    name: z.string().min(1).max(100),
    description: z.string().max(1_000).optional(),
    /** For every case that knows them. */
    defaults: everyParameter.optional(),
    /** AWS: at most 50. */
    cases: z
      .array(z.union([caseId, configured]))
      .min(1)
      .max(CASES_MAX),
    /** Policies of the device's certificate: JSON files beside this one. */
    policies: z.array(z.string().min(1).max(1_024)).max(10).optional(),
  },
  { error: unknownKeys(["version", "name", "description", "defaults", "cases", "policies"]) },
);

export type SuiteDocument = z.output<typeof suiteDocument>;

/** The known keys are the message: whoever shows it suggests the nearest. */
function unknownKeys(known: readonly string[]) {
  return (issue: { readonly code?: string | undefined }): string | undefined =>
    issue.code === "unrecognized_keys" ? known.join(" ") : undefined;
}

/** Parameters that a case has a use for. */
export const knownTo = ({ accepts }: QualificationCase): ReadonlySet<ParameterName> =>
  new Set<ParameterName>(["EXECUTION_TIMEOUT", ...accepts]);
