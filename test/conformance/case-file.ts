import { existsSync, readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { SpecVersion } from "./script.js";

/**
 * The data of the conformance proof. A *statement* is one numbered sentence of a specification; a *case* is a script
 * that proves some of them. Statements of which no script can be made name sentences of other tests instead.
 */
const FOLDER = "test/conformance";

const STATEMENT_ID = /^(?:MQTT-\d+\.\d+(?:\.\d+)?|AWS-\d+(?:\.\d+)?)-\d+$/;

const caseSchema = z.strictObject({
  name: z.string().min(1),
  /** The statements that this case proves, as far as it goes. */
  proves: z.array(z.string().regex(STATEMENT_ID)),
  profile: z.enum(["oasis", "aws"]).default("oasis"),
  /** What the clients of the script speak, in the folder of a specification that is not about one version. */
  version: z.enum(["v5", "v3.1.1"]).default("v5"),
  /** Changes to the limits of the profile. */
  limits: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  /** A server program around the broker, by its name in `setups.ts`. */
  setup: z.string().optional(),
  /** The only transports that this case is about; default: all. */
  transports: z.array(z.string()).optional(),
  /** The case must fail: what the broker does instead. Remove it once the case passes. */
  knownFailure: z.string().optional(),
  /** Plays the script once for each of these texts, in the place of every `@`. */
  each: z.array(z.string()).default([""]),
  script: z.array(z.string()).min(1),
});

const statementSchema = z.strictObject({
  id: z.string().regex(STATEMENT_ID),
  section: z.string(),
  binds: z.enum(["server", "both", "client"]),
  /** What it asks for, in our words. */
  says: z.string().min(1),
  /** Proofs besides the cases: `<file> › <sentence of an it>`. */
  tests: z.array(z.string()).default([]),
  /** Why there is no proof. */
  unproven: z.string().optional(),
});

const specificationSchema = z.strictObject({
  title: z.string(),
  /** The chapters in order: how their section numbers begin, and their titles. */
  chapters: z.array(z.tuple([z.string(), z.string()])),
  statements: z.array(statementSchema),
});

export type ConformanceCase = z.infer<typeof caseSchema>;
export type Statement = z.infer<typeof statementSchema>;
export type Specification = z.infer<typeof specificationSchema>;

/** A specification by the name of its folder: a version of MQTT, or what AWS documents. */
export type SpecName = SpecVersion | "aws";

export const SPEC_NAMES: readonly SpecName[] = ["v5", "v3.1.1", "aws"];

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** One chapter's cases. */
export interface CaseFile {
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** The case files of a specification, in the order of their names. */
export function readCaseFiles(name: SpecName): CaseFile[] {
  const folder = `${FOLDER}/cases/${name}`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) => ({
      name: file.slice(0, -".json".length),
      cases: z.array(caseSchema).parse(readJson(`${folder}/${file}`)),
    }));
}

export const readSpecification = (name: SpecName): Specification =>
  specificationSchema.parse(readJson(`${FOLDER}/statements-${name}.json`));
