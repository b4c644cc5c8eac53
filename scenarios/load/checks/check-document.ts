import type { ScenarioDocument } from "../../schema/document.js";
import type { Diagnostic } from "../diagnostics.js";
import type { SourceMap } from "../source-tree.js";
import { checkBench } from "./bench.js";
import { Checker } from "./checker.js";
import { checkCloud } from "./cloud.js";
import { checkExpectations } from "./expectations.js";
import { checkFleet } from "./fleet.js";
import { checkFormat } from "./format.js";
import { checkIdentities } from "./identities.js";
import { checkRewrittenNumbers } from "./rewritten-numbers.js";
import { checkStages } from "./stages.js";

/** Finds what no schema can: names that lead nowhere, and parts that contradict each other. */
export function checkDocument(document: ScenarioDocument, sourceMap: SourceMap): readonly Diagnostic[] {
  const checker = new Checker(document, sourceMap);
  checkFormat(checker);
  checkCloud(checker);
  checkFleet(checker);
  checkBench(checker);
  checkIdentities(checker);
  checkStages(checker);
  checkExpectations(checker);
  checkRewrittenNumbers(checker);
  return checker.diagnostics;
}
