import { EXIT, formatWallTime, LANE, RealTime } from "fleetrig/kernel";
import { QUALIFICATION_CASES, QUALIFICATION_SET } from "../../qualify/cases/index.js";
import { Qualification } from "../../qualify/qualification.js";
import { type CaseRecord, isGood, type QualificationRecord } from "../../qualify/qualification-record.js";
import { renderCase, renderSummary } from "../../qualify/render/console-table.js";
import type { Suite } from "../../qualify/suite/load-suite.js";
import { consoleOptions, type Host, writeLine } from "../host.js";
import { VERSION } from "../version.js";
import { reportsOf, writeQualificationReports } from "./qualification-reports.js";
import { checkDevice, type QualifyFlags, suiteOf } from "./qualify-flags.js";
import { setUp, type TestBed } from "./test-bed.js";

/** Where policies are, beside those of the suite. */
const POLICY_BYTES_MAX = 65_536;

/**
 * `fleetrig qualify`: MQTT, TLS, shadow and job conformance of a device.
 * @returns 0 when every case passed, 1 when not, 2 for a wrong suite, 130 when it was interrupted
 */
export async function qualifyCommand(host: Host, flags: QualifyFlags): Promise<number> {
  if (flags.list === true) return listCases(host);
  const suite = suiteOf(host, flags);
  if (suite === undefined) return EXIT.usage;
  checkDevice(flags);
  const reports = reportsOf(flags.report, flags.reportDir);
  const policies = policiesOf(host, [...suite.policies, ...(flags.policy ?? [])]);
  const time = new RealTime();
  try {
    const bed = await setUp(host, flags, time);
    try {
      const record = await qualify({ host, flags, suite, policies, bed, time });
      writeLine(host.stdout);
      writeLine(host.stdout, renderSummary(record, consoleOptions(host)));
      writeQualificationReports(host, record, reports);
      if (record.verdict === "interrupted") return INTERRUPTED;
      return record.verdict === "passed" ? EXIT.passed : EXIT.failed;
    } finally {
      await bed.close();
    }
  } finally {
    time.stop();
  }
}

const INTERRUPTED = 130;

function listCases(host: Host): number {
  for (const { id, group, title } of QUALIFICATION_CASES) {
    const mark = QUALIFICATION_SET.includes(id) ? "*" : " ";
    writeLine(host.stdout, `${mark} ${group.padEnd(9)}${id.padEnd(56)}${title}`);
  }
  writeLine(host.stdout, "\n* in AWS's qualification set, which runs when no cases are named");
  return EXIT.passed;
}

/** @throws FleetrigError CLI_FILE_UNREADABLE */
const policiesOf = ({ files }: Host, paths: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(paths.map((path) => [path, files.readFile(path, POLICY_BYTES_MAX)]));

interface Run {
  readonly host: Host;
  readonly flags: QualifyFlags;
  readonly suite: Suite;
  readonly policies: Readonly<Record<string, string>>;
  readonly bed: TestBed;
  readonly time: RealTime;
}

async function qualify({ host, flags, suite, policies, bed, time }: Run): Promise<QualificationRecord> {
  const startedMs = host.wallMs();
  const beganUs = time.nowUs();
  const shown = consoleOptions(host);
  let isInterrupted = false;
  const cases = await new Promise<readonly CaseRecord[]>((resolve) => {
    const qualification = new Qualification({
      plan: suite.cases,
      clock: time.lane(LANE.harness),
      endpoint: bed.endpoint,
      device: bed.device,
      tls: bed.tls,
      ...(Object.keys(policies).length > 0 && { policies }),
      began: (planned) =>
        writeLine(host.stderr, `${planned.case.id} (at most ${planned.parameters.EXECUTION_TIMEOUT} s)`),
      ended: (record) => writeLine(host.stdout, renderCase(record, shown)),
      done: (records) => {
        release();
        resolve(records);
      },
    });
    const release = host.onSignal(() => {
      isInterrupted = true;
      resolve(qualification.abort());
    });
    qualification.start();
  });
  const isStrict = flags.strict === true;
  const isPassed = cases.every((one) => isGood(one, isStrict));
  return {
    schemaVersion: 1,
    tool: { name: "fleetrig", version: VERSION },
    suite: suite.name,
    device: bed.description,
    startedAt: formatWallTime(startedMs),
    durationMs: Math.round((time.nowUs() - beganUs) / 1_000),
    isStrict,
    verdict: isInterrupted ? "interrupted" : isPassed ? "passed" : "failed",
    cases,
  };
}
