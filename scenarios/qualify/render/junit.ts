import { element, plainText } from "fleetrig/reports";
import { type CaseRecord, isGood, type QualificationRecord } from "../qualification-record.js";
import { countsText, measured, remarksOf } from "./verdict-words.js";

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** JUnit XML: a test case per case; what is inconclusive is an error, what is not applicable is skipped. */
export function renderQualificationJunit(record: QualificationRecord): string {
  const { cases, suite, device, tool, startedAt, durationMs, isStrict } = record;
  const count = (state: CaseState): number => cases.filter((one) => stateOf(one, isStrict) === state).length;
  const counts = {
    tests: cases.length,
    failures: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
    time: seconds(durationMs),
  };
  const properties = element("properties", {}, [
    element("property", { name: "device", value: device.name }),
    element("property", { name: "path", value: device.path }),
    ...(device.firmware === undefined
      ? []
      : [element("property", { name: "firmware", value: device.firmware })]),
  ]);
  const testsuite = element(
    "testsuite",
    { name: `qualify ${suite}`, timestamp: startedAt.slice(0, 19), ...counts },
    [
      properties,
      ...cases.map((one) => testcase(one, isStrict)),
      element("system-out", {}, countsText(record)),
    ],
  );
  const root = element("testsuites", { name: `${tool.name} ${tool.version}`, ...counts }, [testsuite]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

type CaseState = "passed" | "failure" | "error" | "skipped";

function stateOf(record: CaseRecord, isStrict: boolean): CaseState {
  if (record.verdict === "not-applicable") return "skipped";
  if (record.verdict === "inconclusive") return "error";
  return isGood(record, isStrict) ? "passed" : "failure";
}

function testcase(record: CaseRecord, isStrict: boolean): string {
  const { id, group, durationMs, verdict, measurements } = record;
  const state = stateOf(record, isStrict);
  const remarks = remarksOf(record).map(plainText);
  const figures = measurements.map((measurement) => `${measurement.name}: ${measured(measurement)}`);
  const message = remarks[0] ?? "";
  const outcome =
    state === "passed"
      ? []
      : state === "skipped"
        ? [element(state, { message })]
        : [element(state, { type: verdict, message }, remarks.join("\n"))];
  const out = state === "passed" ? [...remarks.map((remark) => `warning: ${remark}`), ...figures] : figures;
  return element("testcase", { name: id, classname: `qualify.${group}`, time: seconds(durationMs) }, [
    ...outcome,
    ...(out.length === 0 ? [] : [element("system-out", {}, out.join("\n"))]),
  ]);
}
