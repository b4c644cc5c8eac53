import { US_PER_S } from "fleetrig/kernel";
import type { CaseScript, Stage } from "../endpoint/case-script.js";
import type { CaseEvidence } from "../evidence.js";
import { absence, acceptancesOf, connectsOf } from "../evidence-reader.js";
import { failed, type GapRun, inconclusive, type Judgement, passed } from "../judgement.js";
import type { CaseParameters } from "../parameters.js";
import type { QualificationCase } from "../qualification-case.js";
import { delaysOf, gapMeasurements, gapRounds, gapRun, judgeJitter, tooFew, worstGrade } from "./backoff.js";

/** AWS: five attempts without an answer, the sixth is let in, and all of it once more. */
const ROUNDS = 2;
const DEFAULT_RETRIES = 5;
/** Its growth is judged, so one more gap than the shape needs. */
const DEFAULT_GROWING_RETRIES = 6;
const DEFAULT_RECONNECTIONS = 5;
/** How long the server leaves a connection alone before it ends it. */
const HOLD_US = US_PER_S;
const GOOD_CONNECTIONS = 5;
const RETURN_MS = 1_000;
/** Randomly growing delays: the later half's longest is at least so much longer than the earlier half's. */
const MIN_GROWTH = 1.5;

const retriesOf = ({ RETRIES = DEFAULT_RETRIES }: CaseParameters): number => RETRIES;
const growingRetriesOf = ({ RETRIES = DEFAULT_GROWING_RETRIES }: CaseParameters): number => RETRIES;
const reconnectionsOf = ({ RECONNECTION_ATTEMPTS = DEFAULT_RECONNECTIONS }: CaseParameters): number =>
  RECONNECTION_ATTEMPTS;

/** No answer to so many CONNECTs, then one is let in for a moment; and again. */
function unanswered(stage: Stage, retries: number): CaseScript {
  let connects = 0;
  return {
    fromDevice: (packet) => {
      if (packet.type !== "connect") return "pass";
      connects += 1;
      return connects % (retries + 1) === 0 ? "pass" : "withhold";
    },
    noted: ({ type, from }, line) => {
      if (from === "endpoint" && type === "connack") stage.after(HOLD_US, () => line.drop());
    },
  };
}

/** Lets everybody in, and ends each connection after a while. */
function restless(stage: Stage, holdUs: (accepted: number) => number): CaseScript {
  let accepted = 0;
  return {
    noted: ({ type, from, reasonCode }, line) => {
      if (from !== "endpoint" || type !== "connack" || reasonCode !== 0) return;
      accepted += 1;
      stage.after(holdUs(accepted), () => line.drop());
    },
  };
}

function judgeJitteredRetries(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const perRound = retriesOf(parameters) + 1;
  const connects = connectsOf(evidence).length;
  if (connects < ROUNDS * perRound && !evidence.isOver) return undefined;
  if (connects === 0) return inconclusive(absence(evidence));
  const rounds = Array.from({ length: Math.min(ROUNDS, Math.ceil(connects / perRound)) }, (_, round) =>
    delaysOf(evidence, round * perRound, perRound),
  );
  return judgedOrTooFew(gapRounds(rounds), { connects, wanted: ROUNDS * perRound });
}

/** Whoever is too slow may already have shown what is wrong. */
function judgedOrTooFew(
  runs: readonly GapRun[],
  { connects, wanted }: { readonly connects: number; readonly wanted: number },
): Judgement {
  const judged = judgeJitter(runs);
  return connects >= wanted || judged.verdict === "fail" ? judged : tooFew(runs, wanted);
}

function judgeGrowingRetries(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const wanted = growingRetriesOf(parameters) + 1;
  const connects = connectsOf(evidence).length;
  if (connects < wanted && !evidence.isOver) return undefined;
  if (connects === 0) return inconclusive(absence(evidence));
  const runs = [gapRun("retries", delaysOf(evidence, 0, wanted))];
  const { gapsMs } = runs[0]!;
  const details = { gaps: runs, measurements: gapMeasurements(runs) };
  const grade = worstGrade(runs);
  if (grade === "constant" || grade === "linear") return judgeJitter(runs);
  if (connects < wanted) return tooFew(runs, wanted);
  if (grade === "exponential") return passed(details);
  const half = Math.ceil(gapsMs.length / 2);
  const growth = Math.max(...gapsMs.slice(half)) / Math.max(1, ...gapsMs.slice(0, half));
  const measurements = [...details.measurements, { name: "growth", value: Math.round(growth * 10) / 10 }];
  return growth >= MIN_GROWTH
    ? passed({ ...details, measurements })
    : failed("The delays between attempts vary, but do not grow.", { ...details, measurements });
}

/** Delays before the connections from `first` on that followed one which the server ended. */
function judgeReconnects(evidence: CaseEvidence, first: number, count: number): Judgement | undefined {
  const connects = connectsOf(evidence).length;
  if (connects < first + count + 1 && !evidence.isOver) return undefined;
  if (acceptancesOf(evidence).length === 0) return inconclusive(absence(evidence));
  const runs = [gapRun("reconnects", delaysOf(evidence, first, count + 1))];
  return judgedOrTooFew(runs, { connects, wanted: first + count + 1 });
}

/** How soon the device is back when it has been thrown out right after its CONNACK. */
function judgeFirstReturn(evidence: CaseEvidence): Judgement | undefined {
  const connects = connectsOf(evidence).length;
  if (connects < 2 && !evidence.isOver) return undefined;
  if (acceptancesOf(evidence).length === 0) return inconclusive(absence(evidence));
  const runs = [gapRun("return", delaysOf(evidence, 0, 2))];
  const [delayMs] = runs[0]!.gapsMs;
  if (delayMs === undefined) return tooFew(runs, 2);
  const details = { gaps: runs, measurements: gapMeasurements(runs) };
  return delayMs >= RETURN_MS
    ? passed(details)
    : failed(
        `The device came back after ${delayMs} ms; AWS wants it to wait for at least a second.`,
        details,
      );
}

export const connectingCases: readonly QualificationCase[] = [
  {
    id: "MQTT_Connect",
    group: "MQTT",
    title: "sends CONNECT",
    accepts: [],
    judge: (evidence) => {
      const [connect] = connectsOf(evidence);
      if (connect === undefined) return evidence.isOver ? failed(absence(evidence)) : undefined;
      const { protocolVersion, keepAliveS } = connect.connect;
      return passed({
        measurements: [
          { name: "MQTT", value: protocolVersion === 5 ? "5" : protocolVersion === 4 ? "3.1.1" : "3.1" },
          { name: "keep-alive", value: keepAliveS, unit: "s" },
        ],
      });
    },
  },
  {
    id: "MQTT_Connect_Jitter_Backoff_Retries",
    group: "MQTT",
    title: "tries again with jitter when CONNACK does not come",
    accepts: ["RETRIES"],
    // Ten times the device's patience with a CONNACK, and its delays on top.
    defaults: { EXECUTION_TIMEOUT: 600 },
    script: (stage) => unanswered(stage, retriesOf(stage.parameters)),
    judge: judgeJitteredRetries,
  },
  {
    id: "MQTT_Connect_Exponential_Backoff_Retries",
    group: "MQTT",
    title: "waits exponentially longer when CONNACK does not come",
    accepts: ["RETRIES"],
    script: (stage) => unanswered(stage, growingRetriesOf(stage.parameters)),
    judge: judgeGrowingRetries,
  },
  {
    id: "MQTT_ReconnectionAfterSuccessfulConnection",
    group: "MQTT",
    title: "waits for a second before it comes back to a server that ended the connection",
    accepts: [],
    script: (stage) => restless(stage, () => 0),
    judge: judgeFirstReturn,
  },
  {
    id: "MQTT_Reconnect_Backoff_Retries_On_Server_Disconnect",
    group: "MQTT",
    title: "comes back with jitter when the server ends the connection",
    accepts: ["RECONNECTION_ATTEMPTS"],
    script: (stage) => restless(stage, () => HOLD_US),
    judge: (evidence, parameters) => judgeReconnects(evidence, 0, reconnectionsOf(parameters)),
  },
  {
    id: "MQTT_Reconnect_Backoff_Retries_On_Unstable_Connection",
    group: "MQTT",
    title: "comes back with jitter when connections break right after CONNACK",
    accepts: ["RECONNECTION_ATTEMPTS"],
    // Ten delays, of which the later half may each be as long as the device ever waits.
    defaults: { EXECUTION_TIMEOUT: 600 },
    script: (stage) => restless(stage, (accepted) => (accepted <= GOOD_CONNECTIONS ? HOLD_US : 0)),
    judge: (evidence, parameters) => judgeReconnects(evidence, GOOD_CONNECTIONS, reconnectionsOf(parameters)),
  },
];
