import { US_PER_S } from "fleetrig/kernel";
import type { Packet } from "fleetrig/protocol";
import type { CaseScript, Stage } from "../endpoint/case-script.js";
import type { CaseEvidence, PacketNote } from "../evidence.js";
import {
  absence,
  acceptancesOf,
  connectsOf,
  fromDevice,
  fromEndpoint,
  publishesOf,
  toMs,
} from "../evidence-reader.js";
import { failed, inconclusive, type Judgement, passed } from "../judgement.js";
import type { CaseParameters } from "../parameters.js";
import type { CasePart, QualificationCase } from "../qualification-case.js";
import { connectingCases } from "./connecting.js";
import { receivingCases } from "./receiving.js";
import { sessionCases } from "./sessions.js";

type ScenarioName = NonNullable<CaseParameters["SCENARIOS"]>[number];

const DEFAULT_DISCONNECT_MINUTES = 60;
const SECONDS_PER_MINUTE = 60;
const DEFAULT_SCENARIOS: readonly ScenarioName[] = [
  "PUBACK_QOS_1",
  "RECEIVE_LARGE_PAYLOAD",
  "PERSISTENT_SESSION",
  "KEEP_ALIVE",
  "INTERMITTENT_CONNECTIVITY",
  "RECONNECT_BACK_OFF",
  "LONG_SERVER_DISCONNECT",
];
const INTERRUPTIONS = 3;
const INTERMITTENT_US = 2 * US_PER_S;
const LARGE_KB = 128;

const caseOf = (cases: readonly QualificationCase[], id: string): QualificationCase =>
  cases.find((candidate) => candidate.id === id)!;

type Part = Omit<CasePart, "name">;

/** AWS: the first SUBACK and the first PUBACK come so late; the device is to ask again meanwhile. */
const RETRY_WINDOW_US = 15 * US_PER_S;
const LATE: readonly Packet["type"][] = ["suback", "puback"];

function hesitant(stage: Stage): CaseScript {
  const late = new Set<Packet["type"]>(LATE);
  return {
    fromDevice: ({ type }) => {
      if (type === "connect") for (const answer of LATE) late.add(answer);
      return "pass";
    },
    fromServer: (packet, line) => {
      if (!late.delete(packet.type)) return "pass";
      stage.after(RETRY_WINDOW_US, () => line.answer(packet));
      return "withhold";
    },
  };
}

/** Whether a request went twice under its identifier on one connection. */
const isRepeated = (requests: readonly PacketNote[]): boolean =>
  requests.some((first, index) =>
    requests
      .slice(index + 1)
      .some((next) => next.connection === first.connection && next.packetId === first.packetId),
  );

function judgeBasic(evidence: CaseEvidence): Judgement | undefined {
  const connected = acceptancesOf(evidence).length > 0;
  const subscribes = fromDevice(evidence, "subscribe");
  const publishes = publishesOf(evidence);
  const kept = publishes.filter(({ publish }) => publish.qos === 1);
  const isAnswered = (answer: string): boolean => fromEndpoint(evidence, answer).length > 0;
  const isComplete =
    subscribes.length > 0 &&
    publishes.length > 0 &&
    isAnswered("suback") &&
    (kept.length === 0 || isAnswered("puback"));
  if (!isComplete && !evidence.isOver) return undefined;
  if (!connected || subscribes.length + publishes.length === 0) return inconclusive(absence(evidence));
  // MQTT 5 forbids what AWS asks of PUBLISH [MQTT-4.4.0-1].
  const mayRepeat = connectsOf(evidence).every(({ connect }) => connect.protocolVersion < 5);
  const warnings = [
    ...(subscribes.length > 0 && !isRepeated(subscribes)
      ? ["The device did not repeat a SUBSCRIBE that was not answered for 15 s."]
      : []),
    ...(kept.length > 0 && mayRepeat && !isRepeated(kept)
      ? ["The device did not repeat a PUBLISH that was not acknowledged for 15 s."]
      : []),
  ];
  return passed({ warnings });
}

const basic: Part = { script: hesitant, judge: judgeBasic };

/** Connections that break again and again, far enough apart to work meanwhile. */
const intermittent: Part = {
  script: (stage) => {
    let drops = 0;
    return {
      noted: ({ type, from }, line) => {
        if (type !== "connack" || from !== "endpoint" || drops >= INTERRUPTIONS) return;
        drops += 1;
        stage.after(INTERMITTENT_US, () => line.drop());
      },
    };
  },
  judge: (evidence) => {
    const accepted = acceptancesOf(evidence).length;
    if (accepted > INTERRUPTIONS) return passed({ measurements: [{ name: "returns", value: accepted - 1 }] });
    return evidence.isOver ? failed(`The device came back ${Math.max(0, accepted - 1)} times.`) : undefined;
  },
};

/** Nothing is let in for a long time; then the device has to be there. */
const longDisconnect = (parameters: CaseParameters): Part => {
  const minutes = parameters.LONG_SERVER_DISCONNECT_TIME ?? DEFAULT_DISCONNECT_MINUTES;
  const awayS = minutes * SECONDS_PER_MINUTE;
  const awayUs = awayS * US_PER_S;
  return {
    ownS: awayS,
    script: (stage) => {
      let downUntilUs = 0;
      return {
        fromDevice: ({ type }, line) => {
          if (type !== "connect" || stage.clock.nowUs() >= downUntilUs) return "pass";
          stage.after(0, () => line.drop());
          return "withhold";
        },
        noted: ({ type, from }, line) => {
          if (type !== "connack" || from !== "endpoint" || downUntilUs > 0) return;
          downUntilUs = stage.clock.nowUs() + awayUs;
          stage.after(0, () => line.drop());
        },
      };
    },
    judge: (evidence) => {
      const [first, second] = acceptancesOf(evidence);
      if (first !== undefined && second !== undefined) {
        const lateMs = toMs(second.atUs - first.atUs - awayUs);
        return passed({ measurements: [{ name: "back after the server", value: lateMs, unit: "ms" }] });
      }
      if (!evidence.isOver) return undefined;
      return first === undefined
        ? inconclusive(absence(evidence))
        : failed("The device did not come back after the server had been away for long.");
    },
  };
};

function partOf(name: ScenarioName, parameters: CaseParameters): Part {
  switch (name) {
    case "PUBACK_QOS_1":
      return caseOf(receivingCases, "MQTT_Client_Puback_Qos1");
    case "RECEIVE_LARGE_PAYLOAD":
      return { ...caseOf(receivingCases, "MQTT_Client_Puback_Qos1"), parameters: { PAYLOAD_SIZE: LARGE_KB } };
    case "PERSISTENT_SESSION":
      return caseOf(sessionCases, "MQTT_Persistent_Session_Happy_Case");
    case "KEEP_ALIVE":
      return caseOf(sessionCases, "MQTT_No_Ack_PingResp");
    case "INTERMITTENT_CONNECTIVITY":
      return intermittent;
    case "RECONNECT_BACK_OFF":
      return {
        ...caseOf(connectingCases, "MQTT_Reconnect_Backoff_Retries_On_Server_Disconnect"),
        parameters: {
          ...(parameters.BACKOFF_CONNECTION_ATTEMPTS !== undefined && {
            RECONNECTION_ATTEMPTS: parameters.BACKOFF_CONNECTION_ATTEMPTS,
          }),
        },
      };
    case "LONG_SERVER_DISCONNECT":
      return longDisconnect(parameters);
  }
}

export const longRunCases: readonly QualificationCase[] = [
  {
    id: "MQTT_Long_Duration",
    group: "MQTT",
    title: "holds out over a long time of good and bad behaviour",
    accepts: ["SCENARIOS", "LONG_SERVER_DISCONNECT_TIME", "BACKOFF_CONNECTION_ATTEMPTS", "TRIGGER_TOPIC"],
    parts: (parameters) => [
      { name: "BASIC", ...basic },
      ...(parameters.SCENARIOS ?? DEFAULT_SCENARIOS).map((name) => ({ ...partOf(name, parameters), name })),
    ],
    // Judged part by part.
    judge: () => undefined,
  },
];
