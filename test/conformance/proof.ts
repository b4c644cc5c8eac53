import { readFileSync } from "node:fs";
import {
  type ConformanceCase,
  readCaseFiles,
  readSpecification,
  type SpecName,
  type Specification,
  type Statement,
} from "./case-file.js";

/**
 * What is proven. A statement is *proven* by a case or a sentence of a test that passes; it *fails* when a case
 * about it is known to fail; it is *open* otherwise. What binds clients only is *the client's*, unless the server
 * enforces it and a case proves that.
 */
export type ProofState = "proven" | "fails" | "open" | "client's";

export interface ProvenStatement {
  readonly statement: Statement;
  readonly state: ProofState;
  readonly cases: readonly ConformanceCase[];
}

/** A specification with its proofs. */
export interface Proof {
  readonly name: SpecName;
  readonly specification: Specification;
  readonly statements: readonly ProvenStatement[];
}

function stateOf(statement: Statement, cases: readonly ConformanceCase[]): ProofState {
  if (cases.some(({ knownFailure }) => knownFailure !== undefined)) return "fails";
  if (cases.length > 0 || statement.tests.length > 0) return "proven";
  return statement.binds === "client" ? "client's" : "open";
}

/** Puts statements and cases together. */
export function readProof(name: SpecName): Proof {
  const specification = readSpecification(name);
  const byId = new Map<string, ConformanceCase[]>();
  for (const each of readCaseFiles(name).flatMap(({ cases }) => cases))
    for (const id of each.proves) byId.set(id, [...(byId.get(id) ?? []), each]);
  const statements = specification.statements.map((statement) => {
    const cases = byId.get(statement.id) ?? [];
    return { statement, state: stateOf(statement, cases), cases };
  });
  return { name, specification, statements };
}

/** A proof outside the case files, taken apart. */
export function findSentence(reference: string): boolean {
  const [file = "", sentence = ""] = reference.split(" › ");
  return sentence !== "" && readFileSync(file, "utf8").includes(sentence);
}
