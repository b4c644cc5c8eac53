import type { Packet } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import type { CaseVerdict } from "../../scenarios/qualify/judgement.js";
import type { CaseParameters } from "../../scenarios/qualify/parameters.js";
import {
  type DeviceChanges,
  insteadOfRepeating,
  never,
  qualify,
  SECOND,
  subscribingAgain,
  type Tamper,
} from "./virtual-rig.js";

interface Row {
  readonly device: string;
  readonly changes: DeviceChanges;
  readonly parameters?: Partial<CaseParameters>;
  readonly verdict: CaseVerdict;
  /** Of a reason or a warning. */
  readonly says?: RegExp;
}

const silent: DeviceChanges = { tamper: never("connect") };
const constant: DeviceChanges = { reconnect: { policy: "constant", baseUs: 2 * SECOND } };
const exponential: DeviceChanges = { reconnect: { policy: "exponential" } };
const decorrelated: DeviceChanges = { reconnect: { policy: "decorrelated" } };
const BASIC_ONLY = { SCENARIOS: [] };
const patient: DeviceChanges = { reconnect: { policy: "equal-jitter", baseUs: 2 * SECOND } };
const hasty: DeviceChanges = { reconnect: { policy: "constant", baseUs: SECOND / 5 } };
const shadowed: DeviceChanges = { model: "shadow-device" };
/** Slow devices wait 30 s for each CONNACK. */
const PATIENT = { EXECUTION_TIMEOUT: 1_200 };
const followed = (changes: Packet["type"]): DeviceChanges => ({ ...shadowed, tamper: never(changes) });
const otherId = (packet: Packet, times: number): Packet =>
  packet.type === "publish" || packet.type === "subscribe"
    ? { ...packet, packetId: packet.packetId! + 1_000 * times }
    : packet;
const withoutDup = (packet: Packet): Packet =>
  packet.type === "publish" ? { ...packet, dup: false } : packet;
/** What MQTT 3.1.1 allows and AWS wants. */
const repeating: DeviceChanges = { mqtt: { publishRetryUs: 4 * SECOND } };

/** Subscribes on its first connection only. */
const subscribingOnce = (): Tamper => {
  let connections = 0;
  return {
    opened: () => void (connections += 1),
    up: (packet, send) => {
      if (packet.type !== "subscribe" || connections === 1) send(packet);
    },
  };
};

const CASES: Readonly<Record<string, readonly Row[]>> = {
  MQTT_Connect: [
    { device: "connects", changes: {}, verdict: "pass" },
    { device: "never sends CONNECT", changes: silent, verdict: "fail", says: /Nothing connected/ },
  ],
  MQTT_Connect_Jitter_Backoff_Retries: [
    { device: "uses full jitter", changes: {}, parameters: PATIENT, verdict: "pass" },
    { device: "uses decorrelated jitter", changes: decorrelated, parameters: PATIENT, verdict: "pass" },
    {
      device: "grows without jitter",
      changes: exponential,
      parameters: PATIENT,
      verdict: "pass-with-warnings",
      says: /without jitter/,
    },
    { device: "waits two seconds each time", changes: constant, verdict: "fail", says: /all alike/ },
    {
      device: "tries too rarely",
      changes: { reconnect: { policy: "full-jitter", baseUs: 200 * SECOND, capUs: 900 * SECOND } },
      verdict: "fail",
      says: /tried to connect \d+ times in the time given; 12/,
    },
    { device: "never comes", changes: silent, verdict: "inconclusive" },
  ],
  MQTT_Connect_Exponential_Backoff_Retries: [
    { device: "grows exponentially", changes: exponential, verdict: "pass" },
    { device: "grows with jitter", changes: {}, verdict: "pass" },
    { device: "waits two seconds each time", changes: constant, verdict: "fail", says: /all alike/ },
    {
      device: "varies without growing",
      changes: { reconnect: { policy: "equal-jitter", baseUs: 4 * SECOND, capUs: 4 * SECOND } },
      verdict: "fail",
      says: /do not grow/,
    },
  ],
  MQTT_ReconnectionAfterSuccessfulConnection: [
    { device: "waits for a second or two", changes: patient, verdict: "pass" },
    { device: "is back at once", changes: hasty, verdict: "fail", says: /after 2\d\d/ },
    {
      device: "never comes back",
      changes: { reconnect: { policy: "none" } },
      verdict: "fail",
      says: /tried/,
    },
    { device: "never comes", changes: silent, verdict: "inconclusive" },
  ],
  MQTT_Reconnect_Backoff_Retries_On_Server_Disconnect: [
    { device: "uses full jitter", changes: {}, verdict: "pass" },
    { device: "grows without jitter", changes: exponential, verdict: "pass-with-warnings" },
    { device: "waits two seconds each time", changes: constant, verdict: "fail", says: /all alike/ },
    {
      device: "starts its backoff over after each connection",
      changes: { reconnect: { policy: "exponential", resetAfterUs: 0 } },
      verdict: "fail",
      says: /all alike/,
    },
  ],
  MQTT_Reconnect_Backoff_Retries_On_Unstable_Connection: [
    { device: "uses full jitter", changes: {}, verdict: "pass" },
    { device: "waits two seconds each time", changes: constant, verdict: "fail", says: /all alike/ },
    {
      device: "never comes back",
      changes: { reconnect: { policy: "none" } },
      verdict: "fail",
      says: /tried/,
    },
  ],
  MQTT_Publish: [
    { device: "publishes", changes: {}, verdict: "pass" },
    {
      device: "publishes where it should",
      changes: {},
      parameters: { TOPIC_FOR_PUBLISH_VALIDATION: "lab/+/climate" },
      verdict: "pass",
    },
    {
      device: "publishes nothing",
      changes: { telemetry: false },
      verdict: "fail",
      says: /published nothing/,
    },
    {
      device: "publishes elsewhere",
      changes: {},
      parameters: { TOPIC_FOR_PUBLISH_VALIDATION: "other/topic" },
      verdict: "fail",
      says: /lab\/dut-1\/climate/,
    },
  ],
  MQTT_Publish_Retry_No_Puback: [
    {
      device: "repeats with the same identifier",
      changes: repeating,
      verdict: "pass",
    },
    {
      device: "forgets DUP",
      changes: { ...repeating, tamper: insteadOfRepeating("publish", withoutDup) },
      verdict: "pass-with-warnings",
      says: /DUP/,
    },
    {
      device: "repeats under another identifier",
      changes: { ...repeating, tamper: insteadOfRepeating("publish", otherId) },
      parameters: { EXECUTION_TIMEOUT: 30 },
      verdict: "fail",
      says: /another packet identifier/,
    },
    { device: "repeats only after a reconnect", changes: {}, verdict: "fail", says: /never repeated/ },
    {
      device: "speaks MQTT 5",
      changes: { mqtt: { protocolVersion: 5 } },
      verdict: "not-applicable",
      says: /forbids/,
    },
  ],
  MQTT_Publish_Retained_Messages: [
    { device: "publishes retained", changes: { telemetry: { retain: true } }, verdict: "pass" },
    { device: "retains nothing", changes: {}, verdict: "fail", says: /nothing retained/ },
  ],
  MQTT_Publish_User_Property: [
    { device: "adds properties", changes: { mqtt: { protocolVersion: 5 } }, verdict: "pass" },
    {
      device: "adds others",
      changes: { mqtt: { protocolVersion: 5 } },
      parameters: { USER_PROPERTIES: [{ name: "site", value: "north" }] },
      verdict: "fail",
    },
    { device: "speaks 3.1.1", changes: {}, verdict: "not-applicable" },
  ],
  MQTT_Subscribe: [
    { device: "subscribes", changes: shadowed, verdict: "pass" },
    { device: "subscribes to nothing", changes: {}, verdict: "fail", says: /no SUBSCRIBE/ },
    {
      device: "subscribes elsewhere",
      changes: shadowed,
      parameters: { TOPIC_LIST_FOR_SUBSCRIPTION_VALIDATION_ID: ["cmd/dut-1"] },
      verdict: "fail",
      says: /cmd\/dut-1/,
    },
  ],
  MQTT_Subscribe_Retry_No_Suback: [
    {
      device: "repeats with the same identifier",
      changes: shadowed,
      verdict: "pass",
    },
    {
      device: "repeats under another identifier",
      changes: { ...shadowed, tamper: insteadOfRepeating("subscribe", otherId) },
      verdict: "fail",
      says: /another packet identifier/,
    },
    {
      device: "never repeats",
      changes: { ...shadowed, tamper: insteadOfRepeating("subscribe") },
      verdict: "fail",
      says: /never repeated/,
    },
  ],
  MQTT_Client_Puback_Qos1: [
    { device: "acknowledges", changes: shadowed, verdict: "pass" },
    { device: "acknowledges 128 KB", changes: shadowed, parameters: { PAYLOAD_SIZE: 128 }, verdict: "pass" },
    {
      device: "never acknowledges",
      changes: followed("puback"),
      verdict: "fail",
      says: /did not acknowledge/,
    },
    { device: "subscribes to nothing", changes: {}, verdict: "fail", says: /no SUBSCRIBE/ },
  ],
  MQTT_No_Ack_PingResp: [
    { device: "ends the connection", changes: { telemetry: false }, verdict: "pass" },
    {
      device: "goes on",
      changes: { telemetry: false, tamper: () => ({ ends: () => false }) },
      verdict: "fail",
      says: /went on/,
    },
    {
      device: "has no keep-alive",
      changes: { mqtt: { keepAliveS: 0 } },
      verdict: "fail",
      says: /no keep-alive/,
    },
    { device: "has a long keep-alive", changes: { mqtt: { keepAliveS: 600 } }, verdict: "fail", says: /230/ },
  ],
  MQTT_Persistent_Session_Happy_Case: [
    { device: "relies on its session", changes: shadowed, verdict: "pass" },
    {
      device: "subscribes again all the same",
      changes: { ...shadowed, tamper: subscribingAgain },
      verdict: "fail",
      says: /subscribed again/,
    },
    {
      device: "asks for a clean session",
      changes: { ...shadowed, mqtt: { cleanStart: true } },
      verdict: "fail",
      says: /clean/,
    },
    {
      device: "has a session that expires at once",
      changes: { ...shadowed, mqtt: { protocolVersion: 5, sessionExpiryS: 0 } },
      verdict: "fail",
      says: /Session Expiry/,
    },
  ],
  MQTT_Expired_Persistent_Session: [
    { device: "subscribes again", changes: shadowed, verdict: "pass" },
    {
      device: "does not subscribe again",
      changes: {
        ...shadowed,
        tamper: subscribingOnce,
      },
      verdict: "fail",
      says: /did not subscribe again/,
    },
  ],
  MQTT_Long_Duration: [
    {
      device: "does everything",
      changes: { ...shadowed, ...repeating },
      parameters: BASIC_ONLY,
      verdict: "pass",
    },
    {
      device: "repeats nothing",
      changes: { ...shadowed, tamper: insteadOfRepeating("subscribe") },
      parameters: BASIC_ONLY,
      verdict: "pass-with-warnings",
      says: /SUBSCRIBE that was not.* PUBLISH that was not/,
    },
    {
      device: "stays away when the server was gone for long",
      changes: { ...shadowed, ...repeating, reconnect: { policy: "none" } },
      parameters: { SCENARIOS: ["LONG_SERVER_DISCONNECT"], LONG_SERVER_DISCONNECT_TIME: 120 },
      verdict: "fail",
      says: /did not come back after the server/,
    },
    {
      device: "backs off by the same time",
      changes: { ...shadowed, ...repeating, ...constant },
      parameters: { SCENARIOS: ["RECONNECT_BACK_OFF"], BACKOFF_CONNECTION_ATTEMPTS: 8 },
      verdict: "fail",
      says: /all alike/,
    },
    { device: "never comes", changes: silent, parameters: BASIC_ONLY, verdict: "inconclusive" },
  ],
  Shadow_Publish_Reported_State: [
    { device: "reports", changes: shadowed, verdict: "pass" },
    { device: "has no shadow", changes: {}, verdict: "fail", says: /reported no state/ },
  ],
  Shadow_Update_Reported_State: [
    {
      device: "converges",
      changes: shadowed,
      parameters: { DESIRED_STATE: { rate: { a: 1 } } },
      verdict: "pass",
    },
    { device: "has no shadow", changes: {}, verdict: "fail", says: /did not report/ },
  ],
  Job_Execution: [
    { device: "updates itself", changes: { model: "ota-device" }, verdict: "pass" },
    {
      device: "rejects the document",
      changes: { model: "ota-device" },
      parameters: { JOB_DOCUMENT: { operation: "dance" } },
      verdict: "fail",
      says: /REJECTED/,
    },
    { device: "knows no jobs", changes: {}, verdict: "fail", says: /never turned/ },
  ],
};

const rows = Object.entries(CASES).flatMap(([id, list]) => list.map((row) => ({ id, ...row })));

describe("cases in virtual time", () => {
  it.each(rows)(
    "$id: a device that $device is judged $verdict",
    ({ id, changes, parameters, verdict, says }) => {
      const judgement = qualify(id, changes, parameters);
      expect(judgement).toMatchObject({ verdict });
      if (says !== undefined) expect([...judgement.reasons, ...judgement.warnings].join(" ")).toMatch(says);
    },
  );
});
