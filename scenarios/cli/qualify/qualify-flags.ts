import { EXIT, FleetrigError, didYouMean } from "fleetrig/kernel";
import type { VirtualBoardKind } from "fleetrig/hil";
import { formatDiagnostic } from "../../load/diagnostics.js";
import { findCase, QUALIFICATION_CASES } from "../../qualify/cases/index.js";
import { loadSuite, qualificationSuite, type Suite, suiteOfCases } from "../../qualify/suite/load-suite.js";
import { type Host, writeLine } from "../host.js";

/** What the command line says. */
export interface QualifyFlags {
  readonly board?: string;
  readonly virtual?: VirtualBoardKind;
  readonly listen?: string;
  readonly path?: "bridge" | "direct";
  readonly host?: string;
  readonly bench?: string;
  readonly suite?: string;
  readonly case?: readonly string[];
  readonly all?: boolean;
  readonly list?: boolean;
  readonly policy?: readonly string[];
  readonly mqtt?: string;
  readonly out?: string;
  readonly report?: readonly string[];
  readonly reportDir?: string;
  readonly strict?: boolean;
  readonly timeout?: number;
}

const refuse = (code: string, sentence: string, hint: string): FleetrigError =>
  new FleetrigError(code, sentence, { hint, exitCode: EXIT.usage });

/**
 * Which cases run. A suite that is wrong has been shown.
 * @returns undefined for such a suite
 * @throws FleetrigError QUALIFY_UNKNOWN_CASE, QUALIFY_OPTIONS, CLI_FILE_UNREADABLE
 */
export function suiteOf(host: Host, flags: QualifyFlags): Suite | undefined {
  const { suite: file, case: cases = [], all = false, timeout } = flags;
  if ([file !== undefined, cases.length > 0, all].filter(Boolean).length > 1)
    throw refuse(
      "QUALIFY_OPTIONS",
      "Cases are chosen in two ways at once.",
      "Give one of --suite, --case and --all.",
    );
  const suite = file === undefined ? usualSuite(cases, all) : readSuite(host, file);
  if (suite === undefined || timeout === undefined) return suite;
  const withTimeout = suite.cases.map((planned) => ({
    ...planned,
    parameters: { ...planned.parameters, EXECUTION_TIMEOUT: timeout },
  }));
  return { ...suite, cases: withTimeout };
}

function usualSuite(cases: readonly string[], all: boolean): Suite {
  for (const id of cases) if (findCase(id) === undefined) throw unknownCase(id);
  if (cases.length > 0) return suiteOfCases("chosen cases", cases);
  if (!all) return qualificationSuite();
  // The long run is of hours, and of what the others show one by one.
  const ids = QUALIFICATION_CASES.map(({ id }) => id).filter((id) => id !== "MQTT_Long_Duration");
  return suiteOfCases("all cases", ids);
}

function readSuite(host: Host, file: string): Suite | undefined {
  const text = host.files.readFile(file);
  const result = loadSuite(file, text);
  if (result.ok) return result.suite;
  for (const diagnostic of result.diagnostics) writeLine(host.stderr, formatDiagnostic(diagnostic, text));
  return undefined;
}

const unknownCase = (id: string): FleetrigError => {
  const ids = QUALIFICATION_CASES.map((known) => known.id);
  return refuse(
    "QUALIFY_UNKNOWN_CASE",
    `There is no case ${id}.`,
    didYouMean(id, ids) ?? "fleetrig qualify --list shows them all.",
  );
};

/** Which device: exactly one of the three. @throws FleetrigError QUALIFY_OPTIONS */
export function checkDevice({ board, virtual, listen, path, out }: QualifyFlags): void {
  const given = [board, virtual, listen].filter((one) => one !== undefined).length;
  if (given !== 1)
    throw refuse(
      "QUALIFY_OPTIONS",
      given === 0 ? "No device is named." : "Several devices are named.",
      "Give one of --board <board>, --virtual <kind> and --listen <host:port>.",
    );
  if (listen !== undefined && path !== undefined)
    throw refuse(
      "QUALIFY_OPTIONS",
      "--path is for boards.",
      "A device that connects by itself has a path of its own.",
    );
  if (listen === undefined && out !== undefined)
    throw refuse(
      "QUALIFY_OPTIONS",
      "--out is for --listen.",
      "A board gets its certificate over its line; reports are written with --report and --report-dir.",
    );
}

/** `host:port`, or a URL that says mqtt (no TLS) or mqtts. @throws FleetrigError QUALIFY_OPTIONS */
export function listenAddress(text: string): {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
} {
  const match = /^(?:(mqtts?):\/\/)?(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? "65536");
  if (match === null || port > 65_535)
    throw refuse(
      "QUALIFY_OPTIONS",
      `--listen ${text} is no address.`,
      "Write 127.0.0.1:8883 or mqtt://127.0.0.1:1883.",
    );
  return { host: match[2]!.replace(/^\[|\]$/g, ""), port, isTls: match[1] !== "mqtt" };
}
