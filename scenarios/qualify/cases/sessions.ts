import { US_PER_S } from "fleetrig/kernel";
import { topicMatches } from "fleetrig/protocol";
import type { CaseScript, Stage } from "../endpoint/case-script.js";
import { filler, publishTo, TriggerFinder } from "../endpoint/trigger.js";
import type { CaseEvidence } from "../evidence.js";
import {
  absence,
  connectsOf,
  type ConnectPacketNote,
  deliveriesTo,
  fromDevice,
  fromEndpoint,
  onConnection,
  toMs,
} from "../evidence-reader.js";
import { failed, inconclusive, type Judgement, passed } from "../judgement.js";
import type { QualificationCase } from "../qualification-case.js";

/** AWS: the longest keep-alive of this case. */
const KEEP_ALIVE_MAX_S = 230;
/** How long after the stored message a SUBSCRIBE would still be because of the reconnect. */
const SETTLED_US = 2 * US_PER_S;
const STORED_BYTES = 64;
/** From the answer to the subscription until the server ends the connection: others may follow it. */
const SUBSCRIBED_US = US_PER_S;

/** Nothing that the device asks is answered once it is connected. */
const speechless: CaseScript = {
  fromServer: ({ type }) =>
    type === "pingresp" || type === "puback" || type === "suback" || type === "unsuback"
      ? "withhold"
      : "pass",
};

function judgePing(evidence: CaseEvidence): Judgement | undefined {
  const [connect] = connectsOf(evidence);
  if (connect === undefined) return evidence.isOver ? inconclusive(absence(evidence)) : undefined;
  const { keepAliveS } = connect.connect;
  if (keepAliveS === 0)
    return failed("The device asks for no keep-alive, so it cannot notice a server that is gone.");
  if (keepAliveS > KEEP_ALIVE_MAX_S)
    return failed(`The keep-alive is ${keepAliveS} s; AWS wants at most ${KEEP_ALIVE_MAX_S} s here.`);
  const pings = fromDevice(evidence, "pingreq");
  const ends = evidence.connections.map(({ closedBy, closedUs }) =>
    closedBy === "device" ? closedUs : undefined,
  );
  for (const ping of pings) {
    const endUs = ends[ping.connection];
    if (endUs === undefined) continue;
    return passed({
      measurements: [
        { name: "keep-alive", value: keepAliveS, unit: "s" },
        { name: "ended after PINGREQ", value: toMs(endUs - ping.atUs), unit: "ms" },
      ],
    });
  }
  if (!evidence.isOver) return undefined;
  if (pings.length > 0) return failed("The device went on although its PINGREQ was not answered.");
  return ends.some((endUs) => endUs !== undefined)
    ? passed({ warnings: ["The device ended the connection before it had sent any PINGREQ."] })
    : failed(`The device sent no PINGREQ, with a keep-alive of ${keepAliveS} s.`);
}

/** Ends the connection once the device has subscribed, and does `whileAway` before it can be back. */
function interrupted(stage: Stage, whileAway: (topic: string, clientId: string) => void): CaseScript {
  const finder = new TriggerFinder(stage.parameters);
  let isInterrupted = false;
  return {
    noted: (note, line) => {
      const topic = finder.found(note, line);
      if (topic === undefined || isInterrupted) return;
      isInterrupted = true;
      stage.after(SUBSCRIBED_US, () => {
        line.drop();
        whileAway(topic, line.clientId);
        stage.outcome("topic", topic);
        stage.outcome("interrupted", line.number);
      });
    },
  };
}

const storing = (stage: Stage): CaseScript =>
  interrupted(stage, (topic) => publishTo(stage, topic, filler(STORED_BYTES)));

const forgetting = (stage: Stage): CaseScript =>
  interrupted(stage, (_topic, clientId) => void stage.cloud.broker.discardSession(clientId));

/** Why the device cannot have a session that outlives its connection. */
function impersistence({ connect }: ConnectPacketNote): string | undefined {
  if (connect.cleanStart)
    return connect.protocolVersion === 5
      ? "The device asks for a clean start."
      : "The device asks for a clean session.";
  if (connect.protocolVersion === 5 && connect.sessionExpiryS === 0)
    return "The device's session ends with its connection: its Session Expiry Interval is 0.";
  return undefined;
}

interface Reconnect {
  readonly connect: ConnectPacketNote;
  readonly sessionPresent: boolean;
}

/** The first CONNECT that was answered after the connection was ended on purpose. */
function reconnectOf(evidence: CaseEvidence): Reconnect | undefined {
  const interruptedAt = evidence.outcomes["interrupted"];
  if (typeof interruptedAt !== "number") return undefined;
  for (const connack of fromEndpoint(evidence, "connack")) {
    if (connack.connection <= interruptedAt) continue;
    const connect = connectsOf(evidence).find(({ connection }) => connection === connack.connection);
    if (connect !== undefined) return { connect, sessionPresent: connack.sessionPresent === true };
  }
  return undefined;
}

function unready(evidence: CaseEvidence): Judgement {
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  if (evidence.outcomes["interrupted"] === undefined)
    return failed("The device made no subscription with QoS 1, so there was nothing to keep for it.");
  return failed("The device did not come back after the server had ended the connection.");
}

function judgePersistent(evidence: CaseEvidence): Judgement | undefined {
  const [first] = connectsOf(evidence);
  const hindrance = first && impersistence(first);
  if (hindrance !== undefined) return failed(hindrance);
  const topic = evidence.outcomes["topic"];
  const back = reconnectOf(evidence);
  if (back === undefined || typeof topic !== "string") return evidence.isOver ? unready(evidence) : undefined;
  const { connection } = back.connect;
  const hindered = impersistence(back.connect);
  if (hindered !== undefined) return failed(hindered);
  const again = onConnection(fromDevice(evidence, "subscribe"), connection).find((note) =>
    note.filters?.some(({ filter }) => topicMatches(filter, topic, "aws")),
  );
  if (again !== undefined)
    return failed("The device subscribed again to what its session still held.", {
      measurements: [{ name: "topic", value: topic }],
    });
  const message = onConnection(deliveriesTo(evidence), connection).find(
    ({ publish }) => publish.topic === topic,
  );
  const answer =
    message &&
    onConnection(fromDevice(evidence, "puback"), connection).find(
      ({ packetId }) => packetId === message.packetId,
    );
  if (answer === undefined)
    return evidence.isOver
      ? failed(
          message === undefined
            ? "The stored message could not be delivered."
            : "The device did not acknowledge the message that was stored for it.",
        )
      : undefined;
  if (evidence.nowUs - answer.atUs < SETTLED_US && !evidence.isOver) return undefined;
  return passed({
    measurements: [
      { name: "topic", value: topic },
      { name: "stored message acknowledged after", value: toMs(answer.atUs - back.connect.atUs), unit: "ms" },
    ],
  });
}

function judgeExpired(evidence: CaseEvidence): Judgement | undefined {
  const [first] = connectsOf(evidence);
  const hindrance = first && impersistence(first);
  if (hindrance !== undefined) return failed(hindrance);
  const back = reconnectOf(evidence);
  if (back === undefined) return evidence.isOver ? unready(evidence) : undefined;
  const [again] = onConnection(fromDevice(evidence, "subscribe"), back.connect.connection);
  if (again !== undefined)
    return passed({
      measurements: [
        { name: "subscribed again after", value: toMs(again.atUs - back.connect.atUs), unit: "ms" },
      ],
    });
  return evidence.isOver
    ? failed("The device did not subscribe again, although its session was gone.")
    : undefined;
}

export const sessionCases: readonly QualificationCase[] = [
  {
    id: "MQTT_No_Ack_PingResp",
    group: "MQTT",
    title: "ends a connection on which its pings are not answered",
    accepts: [],
    script: () => speechless,
    judge: judgePing,
  },
  {
    id: "MQTT_Persistent_Session_Happy_Case",
    group: "MQTT",
    title: "gets stored messages in its session, without subscribing again",
    accepts: ["TRIGGER_TOPIC"],
    script: storing,
    judge: judgePersistent,
  },
  {
    id: "MQTT_Expired_Persistent_Session",
    group: "MQTT",
    title: "subscribes again when its session is gone",
    accepts: ["TRIGGER_TOPIC"],
    script: forgetting,
    judge: judgeExpired,
  },
];
