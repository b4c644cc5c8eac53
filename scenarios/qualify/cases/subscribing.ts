import { topicMatches } from "fleetrig/protocol";
import type { CaseEvidence, PacketNote } from "../evidence.js";
import { absence, connectsOf, fromDevice, toMs } from "../evidence-reader.js";
import { failed, inconclusive, type Judgement, passed } from "../judgement.js";
import type { CaseParameters } from "../parameters.js";
import type { QualificationCase } from "../qualification-case.js";

const TOPICS = "TOPIC_LIST_FOR_SUBSCRIPTION_VALIDATION_ID";

const filtersOf = (note: PacketNote): readonly string[] => (note.filters ?? []).map(({ filter }) => filter);

const covers = (filters: readonly string[], topic: string): boolean =>
  filters.some((filter) => filter === topic || topicMatches(filter, topic, "aws"));

function judgeSubscribe(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const wanted = parameters[TOPICS];
  const filters = [...new Set(fromDevice(evidence, "subscribe").flatMap(filtersOf))];
  const lacking = (wanted ?? []).filter((topic) => !covers(filters, topic));
  if (filters.length > 0 && lacking.length === 0)
    return passed({ measurements: [{ name: "subscriptions", value: filters.join(", ") }] });
  if (!evidence.isOver) return undefined;
  if (connectsOf(evidence).length === 0) return inconclusive(absence(evidence));
  if (filters.length === 0) return failed("The device sent no SUBSCRIBE.");
  return failed(
    `The device did not subscribe to ${lacking.join(", ")}; it subscribed to ${filters.join(", ")}.`,
  );
}

const isSameRequest = (a: PacketNote, b: PacketNote): boolean =>
  filtersOf(a).join("\n") === filtersOf(b).join("\n");

function judgeRetry(evidence: CaseEvidence, parameters: CaseParameters): Judgement | undefined {
  const wanted = parameters[TOPICS];
  const requests = fromDevice(evidence, "subscribe").filter(
    (note) => wanted === undefined || wanted.some((topic) => covers(filtersOf(note), topic)),
  );
  for (const [index, first] of requests.entries()) {
    const again = requests
      .slice(index + 1)
      .find(
        (next) =>
          next.connection === first.connection &&
          next.packetId === first.packetId &&
          isSameRequest(next, first),
      );
    if (again === undefined) continue;
    return passed({
      measurements: [
        { name: "packet identifier", value: first.packetId! },
        { name: "repeated after", value: toMs(again.atUs - first.atUs), unit: "ms" },
      ],
    });
  }
  if (!evidence.isOver) return undefined;
  if (requests.length === 0)
    return connectsOf(evidence).length === 0
      ? inconclusive(absence(evidence))
      : failed("The device sent no SUBSCRIBE.");
  return failed(reasonForNoRetry(requests));
}

function reasonForNoRetry(requests: readonly PacketNote[]): string {
  const isRepeated = (isOnSame: boolean): boolean =>
    requests.some((first, index) =>
      requests
        .slice(index + 1)
        .some((next) => isSameRequest(first, next) && (next.connection === first.connection) === isOnSame),
    );
  if (isRepeated(true))
    return "The device asked for the same subscriptions again under another packet identifier.";
  if (isRepeated(false)) return "The device repeated its SUBSCRIBE only after it had connected again.";
  return "The device never repeated a SUBSCRIBE that was not answered.";
}

export const subscribingCases: readonly QualificationCase[] = [
  {
    id: "MQTT_Subscribe",
    group: "MQTT",
    title: "subscribes",
    accepts: [TOPICS],
    judge: judgeSubscribe,
  },
  {
    id: "MQTT_Subscribe_Retry_No_Suback",
    group: "MQTT",
    title: "repeats a SUBSCRIBE under the same packet identifier when SUBACK does not come",
    accepts: [TOPICS],
    script: () => ({ fromServer: ({ type }) => (type === "suback" ? "withhold" : "pass") }),
    judge: judgeRetry,
  },
];
