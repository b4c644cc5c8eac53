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

const LINE_CASES: Wanted = {
  TLS_Connect: SHORT,
  MQTT_Connect: SHORT,
  MQTT_Publish: { ...SHORT, TOPIC_FOR_PUBLISH_VALIDATION: "fleetrig/dut-1/climate" },
  MQTT_Publish_Retained_Messages: SHORT,
  MQTT_Publish_User_Property: SHORT,
  MQTT_Subscribe: SHORT,
  MQTT_Subscribe_Retry_No_Suback: SHORT,
  MQTT_Client_Puback_Qos1: { ...SHORT, PAYLOAD_SIZE: 16 },
  MQTT_Expired_Persistent_Session: SHORT,
  Shadow_Publish_Reported_State: SHORT,
  Shadow_Update_Reported_State: SHORT,
  Job_Execution: SHORT,
};

const passes = (wanted: Wanted, others: Readonly<Record<string, unknown>> = {}) => ({
  ...Object.fromEntries(Object.keys(wanted).map((id) => [id, "pass"])),
  ...others,
});

describe("the reference firmware", () => {
  it.skipIf(lacksCompiler)("passes every TLS case by its own network", { timeout: 60_000 }, async () => {
    const board = await openBoard("native", "direct", { reconnectBaseUs: 100 * MS });
    const records = await run(board, TLS_CASES, {
      device: board.device,
      tls: { show: (certificate) => board.door.show(certificate) },
    });
    expect(said(records)).toEqual(passes(TLS_CASES));
  });

  it.skipIf(lacksCompiler)(
    "backs off with jitter, and notices a server that says nothing, with MQTT 3.1.1",
    {
      timeout: 60_000,
    },
    async () => {
      // With MQTT 5 AWS's server would ask for a keep-alive of at least 30 s.
      const habits = { protocolVersion: 4, reconnectBaseUs: 100 * MS, keepAliveS: 2 } as const;
      const board = await openBoard("native", "bridge", habits);
      const wanted: Wanted = {
        MQTT_No_Ack_PingResp: SHORT,
        MQTT_Reconnect_Backoff_Retries_On_Server_Disconnect: SHORT,
      };
      const records = await run(board, wanted, {
        device: board.device,
        tls: { reason: "It comes over the line." },
      });
      expect(said(records)).toEqual(passes(wanted));
    },
  );

  it.skipIf(lacksEmulator)(
    "passes MQTT, shadow and job cases over the line of an rv32 board",
    {
      timeout: 90_000,
    },
    async () => {
      const board = await openBoard("rv32", "bridge", { reconnectBaseUs: 100 * MS, keepAliveS: 30 });
      const records = await run(board, LINE_CASES, {
        device: board.device,
        tls: { reason: "It comes over the line." },
      });
      const none = "not-applicable: It comes over the line.";
      expect(said(records)).toEqual(passes(LINE_CASES, { TLS_Connect: none }));
    },
  );
});
