import { lintPolicy } from "fleetrig/broker";
import { isJsonObject, type JsonValue, parseJson } from "fleetrig/kernel";
import { failed, type Judgement, notApplicable, passed } from "../judgement.js";
import type { QualificationCase } from "../qualification-case.js";
import type { CaseEvidence } from "../evidence.js";

/** Findings that AWS fails a device for: grants of everything, and client ids that anyone may choose. */
const OVER_PERMISSION = new Set([
  "broad-action",
  "broad-resource",
  "allow-all-but",
  "client-id-wildcard",
  "unpinned-client-id",
]);
const SHOWN = 5;
const DEPTH_MAX = 16;

/** Policies are evidence like packets: an outcome `policies` of names and texts. */
function judgePolicies({ outcomes }: CaseEvidence): Judgement {
  const policies = isJsonObject(outcomes["policies"]) ? Object.entries(outcomes["policies"]) : [];
  if (policies.length === 0)
    return notApplicable("No policies were given; name those of the device's certificate with --policy.");
  const findings = policies.flatMap(([name, text]) => findingsIn(name, typeof text === "string" ? text : ""));
  const measurements = [{ name: "policies", value: policies.length }];
  const [first] = findings.filter(({ isFatal }) => isFatal);
  const sentences = findings.map(({ sentence }) => sentence);
  if (first !== undefined) {
    const { sentence } = first;
    return failed(sentence, {
      measurements,
      warnings: sentences.filter((other) => other !== sentence).slice(0, SHOWN),
    });
  }
  return passed({ measurements, warnings: sentences.slice(0, SHOWN) });
}

interface Finding {
  readonly isFatal: boolean;
  readonly sentence: string;
}

function findingsIn(name: string, text: string): Finding[] {
  const linted = lintPolicy(text)
    .filter(({ severity }) => severity !== "info")
    .map(({ severity, code, message, line }) => ({
      isFatal: severity === "error" || OVER_PERMISSION.has(code),
      sentence: `${name}:${line}: ${message}`,
    }));
  return [...wildcardsIn(name, text), ...linted];
}

/** AWS: a statement that allows with `*` alone as its action or resource. */
function wildcardsIn(name: string, text: string): Finding[] {
  const statements = statementsOf(text);
  return statements.flatMap((statement, index): Finding[] => {
    if (!isJsonObject(statement) || statement["Effect"] !== "Allow") return [];
    const broad = (["Action", "Resource"] as const).filter((key) =>
      listOf(statement[key]).some(isEverything),
    );
    return broad.map((key) => ({
      isFatal: true,
      sentence: `${name}: statement ${index + 1} allows every ${key.toLowerCase()}.`,
    }));
  });
}

const isEverything = (value: JsonValue): boolean => value === "*" || value === "iot:*";

const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value];

function statementsOf(text: string): readonly JsonValue[] {
  const parsed = parseJson(text, DEPTH_MAX);
  return parsed.ok && isJsonObject(parsed.value) ? listOf(parsed.value["Statement"]) : [];
}

export const policyCases: readonly QualificationCase[] = [
  {
    id: "Security_Device_Policies",
    group: "Security",
    title: "has policies that grant no more than it needs",
    accepts: [],
    judge: judgePolicies,
  },
];
