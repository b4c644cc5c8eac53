import { describe, expect, it } from "vitest";
import { lacksCompiler, lacksEmulator } from "../rigs.js";
import { openBoard, run, said, type Wanted } from "./real-rig.js";

const SHORT = { EXECUTION_TIMEOUT: 30 };
const MS = 1_000;

const TLS_CASES: Wanted = {
  TLS_Connect: SHORT,
  TLS_Receive_Maximum_Size_Fragments: SHORT,
  TLS_Support_AWS_IoT_Cipher_Suites: SHORT,
  TLS_Large_Size_Server_Cert: SHORT,
  TLS_Unsecure_Server_Cert: SHORT,
  TLS_Incorrect_Subject_Name_Server_Cert: SHORT,
  MQTT_Publish: SHORT,
};

/** What depends on a real line; the rest is in virtual time (all-cases.test.ts). */
const LINE_CASES: Wanted = {
  MQTT_Client_Puback_Qos1: { ...SHORT, PAYLOAD_SIZE: 16 },
  MQTT_Persistent_Session_Happy_Case: SHORT,
  Shadow_Update_Reported_State: SHORT,
};

/** The script has no virtual time: what it does when nobody answers is seen here. */
const SCRIPT_CASES: Wanted = {
  ...LINE_CASES,
  MQTT_No_Ack_PingResp: SHORT,
  MQTT_Expired_Persistent_Session: SHORT,
  MQTT_Publish_Retry_No_Puback: SHORT,
  MQTT_Subscribe_Retry_No_Suback: SHORT,
};

const passes = (wanted: Wanted) => Object.fromEntries(Object.keys(wanted).map((id) => [id, "pass"]));

describe("boards of ours", () => {
  it.skipIf(lacksCompiler)("pass every TLS case by their own network", { timeout: 60_000 }, async () => {
    const board = await openBoard("native", "direct", { reconnectBaseUs: 100 * MS });
    const records = await run(board, TLS_CASES, {
      device: board.device,
      tls: { show: (certificate) => board.door.show(certificate) },
    });
    expect(said(records)).toEqual(passes(TLS_CASES));
  });

  it.skipIf(lacksEmulator)("pass over the lines of rv32 and MicroPython", { timeout: 90_000 }, async () => {
    const qualify = async (kind: "rv32" | "micropython", wanted: Wanted) => {
      const times = { keepAliveS: 2, reconnectBaseUs: 100 * MS, publishRetryUs: 500 * MS };
      const board = await openBoard(kind, "bridge", { protocolVersion: 4, ...times });
      const tls = { reason: "It comes over the line." };
      return said(await run(board, wanted, { device: board.device, tls }));
    };
    const verdicts = await Promise.all([qualify("rv32", LINE_CASES), qualify("micropython", SCRIPT_CASES)]);
    expect(verdicts).toEqual([passes(LINE_CASES), passes(SCRIPT_CASES)]);
  });
});
