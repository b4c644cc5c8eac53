import type { Stage } from "../endpoint/case-script.js";
import type { CaseEvidence } from "../evidence.js";
import {
  absence,
  connectsOf,
  isMatch,
  publishesOf,
  type PublishPacketNote,
  toMs,
} from "../evidence-reader.js";
import {
  failed,
  inconclusive,
  type Judgement,
  type Measurement,
  notApplicable,
  passed,
} from "../judgement.js";
import type { CaseParameters } from "../parameters.js";
import type { QualificationCase } from "../qualification-case.js";

const TOPIC = "TOPIC_FOR_PUBLISH_VALIDATION";

/** Publishes where the test looks for them. Requests to services are publishes like any other. */
const wantedPublishes = (evidence: CaseEvidence, parameters: CaseParameters): readonly PublishPacketNote[] =>
  publishesOf(evidence).filter(({ publish }) => isMatch(parameters[TOPIC], publish.topic));

function judgePublish(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const payload = parameters.PAYLOAD_FOR_PUBLISH_VALIDATION;
  const found = wantedPublishes(evidence, parameters).find(
    ({ publish }) => payload === undefined || publish.payload === payload,
  );
  if (found !== undefined && found.publish.qos < 2) return passed({ measurements: publishFacts(found) });
  return evidence.isOver ? missing(evidence, parameters, "The device published nothing") : undefined;
}

const publishFacts = ({ publish }: PublishPacketNote): Measurement[] => [
  { name: "topic", value: publish.topic },
  { name: "QoS", value: publish.qos },
  { name: "payload", value: publish.payloadBytes, unit: "B" },
];

function missing(evidence: CaseEvidence, parameters: CaseParameters, what: string): Judgement {
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  const where = parameters[TOPIC];
  const seen = [...new Set(publishesOf(evidence).map(({ publish }) => publish.topic))].slice(0, 3);
  const instead = seen.length === 0 ? "" : ` It published to ${seen.join(", ")}.`;
  return failed(`${what}${where === undefined ? "" : ` to ${where}`}.${instead}`);
}

const FORBIDDEN_IN_MQTT5 =
  "MQTT 5 forbids repeating a PUBLISH on a connection that stands [MQTT-4.4.0-1]; AWS runs this with MQTT 3.1.1.";

/** The answer to the first QoS 1 publish never comes. */
function judgeRetry(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  if (connectsOf(evidence).some(({ connect }) => connect.protocolVersion === 5))
    return notApplicable(FORBIDDEN_IN_MQTT5);
  const publishes = wantedPublishes(evidence, parameters).filter(({ publish }) => publish.qos === 1);
  for (const [index, first] of publishes.entries()) {
    const later = publishes.slice(index + 1).filter(({ connection }) => connection === first.connection);
    const again = later.find(
      ({ packetId, publish }) => packetId === first.packetId && isSame(publish, first.publish),
    );
    if (again === undefined) continue;
    const measurements = [
      { name: "packet identifier", value: first.packetId! },
      { name: "repeated after", value: toMs(again.atUs - first.atUs), unit: "ms" },
    ];
    const warnings = again.publish.dup ? [] : ["The repeated PUBLISH has no DUP flag [MQTT-3.3.1-1]."];
    return passed({ measurements, warnings });
  }
  if (!evidence.isOver) return undefined;
  if (publishes.length === 0) return missing(evidence, parameters, "The device published nothing with QoS 1");
  return failed(reasonForNoRetry(publishes));
}

const isSame = (a: PublishPacketNote["publish"], b: PublishPacketNote["publish"]): boolean =>
  a.topic === b.topic && a.payload === b.payload && a.payloadBytes === b.payloadBytes;

function reasonForNoRetry(publishes: readonly PublishPacketNote[]): string {
  const repeats = (first: PublishPacketNote, isOnSame: boolean): boolean =>
    publishes.some(
      (next) =>
        next.atUs > first.atUs &&
        (next.connection === first.connection) === isOnSame &&
        isSame(next.publish, first.publish),
    );
  if (publishes.some((first) => repeats(first, true)))
    return "The device published the same again under another packet identifier.";
  if (publishes.some((first) => repeats(first, false)))
    return "The device repeated the PUBLISH only after it had connected again; AWS wants it on the connection that stands.";
  return "The device never repeated a PUBLISH that was not acknowledged: MQTT 3.1.1 leaves that until a reconnect, AWS wants it on the connection that stands.";
}

const withoutPubacks = (_stage: Stage) => ({
  fromServer: ({ type }: { readonly type: string }) =>
    type === "puback" ? ("withhold" as const) : ("pass" as const),
});

function judgeUserProperties(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  if (connectsOf(evidence).some(({ connect }) => connect.protocolVersion < 5))
    return notApplicable("User properties are of MQTT 5, and the device speaks an older version.");
  const wanted = parameters.USER_PROPERTIES;
  const found = wantedPublishes(evidence, parameters).find(({ publish }) =>
    wanted === undefined
      ? publish.userProperties.length > 0
      : wanted.every(({ name, value }) =>
          publish.userProperties.some(([key, text]) => key === name && text === value),
        ),
  );
  if (found !== undefined) {
    const names = found.publish.userProperties.map(([name]) => name).join(", ");
    return passed({ measurements: [...publishFacts(found), { name: "user properties", value: names }] });
  }
  const what = wanted === undefined ? "any user property" : "the user properties that the test wants";
  return evidence.isOver
    ? missing(evidence, parameters, `The device published nothing with ${what}`)
    : undefined;
}

export const publishingCases: readonly QualificationCase[] = [
  {
    id: "MQTT_Publish",
    group: "MQTT",
    title: "publishes with QoS 0 or 1",
    accepts: [TOPIC, "PAYLOAD_FOR_PUBLISH_VALIDATION"],
    judge: judgePublish,
  },
  {
    id: "MQTT_Publish_Retry_No_Puback",
    group: "MQTT",
    title: "repeats a PUBLISH under the same packet identifier when PUBACK does not come",
    accepts: [TOPIC],
    script: withoutPubacks,
    judge: judgeRetry,
  },
  {
    id: "MQTT_Publish_Retained_Messages",
    group: "MQTT",
    title: "publishes a retained message",
    accepts: [TOPIC],
    judge: (evidence, parameters) => {
      const found = wantedPublishes(evidence, parameters).find(({ publish }) => publish.retain);
      if (found !== undefined) return passed({ measurements: publishFacts(found) });
      return evidence.isOver
        ? missing(evidence, parameters, "The device published nothing retained")
        : undefined;
    },
  },
  {
    id: "MQTT_Publish_User_Property",
    group: "MQTT",
    title: "publishes with user properties (MQTT 5)",
    accepts: [TOPIC, "USER_PROPERTIES"],
    judge: judgeUserProperties,
  },
];
