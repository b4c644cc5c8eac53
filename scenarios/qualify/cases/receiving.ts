import type { CaseScript, Stage } from "../endpoint/case-script.js";
import { filler, payloadBytesFor, publishTo, TriggerFinder } from "../endpoint/trigger.js";
import type { CaseEvidence } from "../evidence.js";
import {
  absence,
  completedHandshakes,
  connectsOf,
  deliveriesTo,
  fromDevice,
  type PublishPacketNote,
  toMs,
} from "../evidence-reader.js";
import { failed, inconclusive, type Judgement, type Measurement, passed } from "../judgement.js";
import type { CaseParameters } from "../parameters.js";
import type { QualificationCase } from "../qualification-case.js";

const DEFAULT_PAYLOAD_KB = 1;
/** Plaintext of a full TLS record [RFC 8446 §5.1]. */
const FULL_RECORD_BYTES = 16_384;
/** Enough for full records, however the first bytes fall. */
const BURST_BYTES = 3 * FULL_RECORD_BYTES;
/** A device with tiny packets gets no more of them. */
const BURST_PACKETS_MAX = 512;

const isTestMessage = ({ publish }: PublishPacketNote): boolean =>
  publish.qos === 1 && publish.payload.startsWith(TEST_MARK);

const TEST_MARK = '{"fleetrig":';

const payloadFor = (parameters: CaseParameters, bytes: number): string =>
  parameters.PAYLOAD_SIZE === undefined && parameters.PAYLOAD_FOR_PUBLISH_VALIDATION !== undefined
    ? parameters.PAYLOAD_FOR_PUBLISH_VALIDATION
    : filler(Math.max(bytes, TEST_MARK.length + 4));

/** Publishes one message as soon as the device listens. */
function publishOnce(stage: Stage): CaseScript {
  const finder = new TriggerFinder(stage.parameters);
  let isSent = false;
  return {
    noted: (note, line) => {
      const topic = finder.found(note, line);
      if (topic === undefined || isSent) return;
      isSent = true;
      const bytes = payloadBytesFor(line, topic, stage.parameters.PAYLOAD_SIZE ?? DEFAULT_PAYLOAD_KB);
      stage.outcome("topic", topic);
      stage.after(0, () => publishTo(stage, topic, payloadFor(stage.parameters, bytes)));
    },
  };
}

/** Publishes so much at once that it leaves in full TLS records; the last message has to be acknowledged. */
function publishBurst(stage: Stage): CaseScript {
  const finder = new TriggerFinder(stage.parameters);
  let isSent = false;
  return {
    noted: (note, line) => {
      const topic = finder.found(note, line);
      if (topic === undefined || isSent) return;
      isSent = true;
      const bytes = Math.min(payloadBytesFor(line, topic, BURST_BYTES / 1_024), BURST_BYTES);
      const count = Math.min(BURST_PACKETS_MAX, Math.ceil(BURST_BYTES / Math.max(bytes, 64)));
      stage.outcome("topic", topic);
      stage.after(0, () => {
        const padding = filler(bytes);
        // QoS 0, which no Receive Maximum holds back.
        for (let sent = 1; sent < count; sent += 1)
          stage.cloud.broker.publish({ topic, payload: padding, qos: 0 });
        publishTo(stage, topic, padding);
      });
    },
  };
}

function judgePuback(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const topic = evidence.outcomes["topic"];
  const messages = deliveriesTo(evidence).filter(
    ({ publish }) => publish.qos === 1 && publish.topic === topic,
  );
  for (const message of messages) {
    const answer = fromDevice(evidence, "puback").find(
      ({ packetId, connection, atUs }) =>
        packetId === message.packetId && connection === message.connection && atUs >= message.atUs,
    );
    if (answer === undefined) continue;
    const reasonCode = answer.reasonCode ?? 0;
    const measurements = receiptFacts(message, answer.atUs);
    if (reasonCode >= 0x80)
      return failed(`The device refused the message with reason 0x${reasonCode.toString(16)}.`);
    return passed({ measurements, warnings: sizeWarnings(message, parameters) });
  }
  return evidence.isOver ? noPuback(evidence, messages) : undefined;
}

const receiptFacts = (message: PublishPacketNote, answeredUs: number): Measurement[] => [
  { name: "topic", value: message.publish.topic },
  { name: "payload", value: message.publish.payloadBytes, unit: "B" },
  { name: "PUBACK after", value: toMs(answeredUs - message.atUs), unit: "ms" },
];

function sizeWarnings({ publish }: PublishPacketNote, { PAYLOAD_SIZE }: CaseParameters): string[] {
  if (PAYLOAD_SIZE === undefined || publish.payloadBytes >= Math.floor(PAYLOAD_SIZE * 1_024)) return [];
  return [
    `The device takes packets so small that the payload had ${publish.payloadBytes} bytes instead of ${PAYLOAD_SIZE * 1_024}.`,
  ];
}

function noPuback(evidence: CaseEvidence, messages: readonly PublishPacketNote[]): Judgement {
  const [message] = messages;
  if (message !== undefined) {
    const connection = evidence.connections[message.connection];
    const end = connection?.closedBy === "device" ? " and ended the connection" : "";
    return failed(`The device did not acknowledge a message of ${message.publish.payloadBytes} bytes${end}.`);
  }
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  const subscribes = fromDevice(evidence, "subscribe").length;
  return failed(
    subscribes === 0
      ? "The device sent no SUBSCRIBE, so nothing could be published to it."
      : "The device subscribed with QoS 1 to nothing that the test may publish to.",
  );
}

function judgeRecords(evidence: CaseEvidence): Judgement | undefined {
  const messages = deliveriesTo(evidence).filter(isTestMessage);
  const [message] = messages;
  const answer =
    message &&
    fromDevice(evidence, "puback").find(
      ({ packetId, connection }) => packetId === message.packetId && connection === message.connection,
    );
  if (message === undefined || answer === undefined)
    return evidence.isOver ? noPuback(evidence, messages) : undefined;
  const largest = Math.max(
    0,
    ...completedHandshakes(evidence).map(({ largestRecordBytes }) => largestRecordBytes),
  );
  const measurements = [
    ...receiptFacts(message, answer.atUs),
    { name: "largest record", value: largest, unit: "B" },
  ];
  if (largest >= FULL_RECORD_BYTES) return passed({ measurements });
  const hello = evidence.handshakes.at(-1)?.hello;
  const limit = typeof hello === "object" ? (hello.maxFragmentLength ?? hello.recordSizeLimit) : undefined;
  return limit === undefined
    ? inconclusive(
        `The largest TLS record had ${largest} bytes: the device takes too little at once to fill one.`,
      )
    : passed({ measurements, warnings: [`The device asked for records of at most ${limit} bytes.`] });
}

export const receivingCases: readonly QualificationCase[] = [
  {
    id: "MQTT_Client_Puback_Qos1",
    group: "MQTT",
    title: "acknowledges a message of QoS 1",
    accepts: ["TRIGGER_TOPIC", "PAYLOAD_SIZE", "PAYLOAD_FOR_PUBLISH_VALIDATION"],
    script: publishOnce,
    judge: judgePuback,
  },
];

export const largeRecordCase: QualificationCase = {
  id: "TLS_Receive_Maximum_Size_Fragments",
  group: "TLS",
  title: "takes TLS records of the largest size",
  accepts: ["TRIGGER_TOPIC"],
  script: publishBurst,
  judge: judgeRecords,
};
