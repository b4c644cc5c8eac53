import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { lacksPaho, PYTHON } from "../embedding/rigs.js";
import { type OpenDoor, openDoor, runAtDoor, said, type Wanted } from "./real-rig.js";

const SHORT = { EXECUTION_TIMEOUT: 12 };

/** mqtt.js with a subscription and a message every 100 ms. */
function client({ door, certificates }: OpenDoor, options: IClientOptions = {}): MqttClient {
  const made = connect({
    protocol: "mqtts",
    host: "127.0.0.1",
    servername: "localhost",
    port: door.port,
    ca: certificates.ca,
    clientId: "foreign",
    clean: false,
    reconnectPeriod: 100,
    ...options,
  });
  made.on("error", () => undefined);
  made.on("connect", () => {
    made.subscribe("cmd/foreign", { qos: 1 }, () => undefined);
    made.publish("data/foreign", "{}", { qos: 1 }, () => undefined);
  });
  onTestFinished(() => void made.end(true));
  return made;
}

/** A device that only speaks TLS, again and again. */
function handshaker({ door }: OpenDoor, options: ConnectionOptions): void {
  let isOver = false;
  const again = (): void => {
    if (isOver) return;
    const socket = connectTls({ host: "127.0.0.1", port: door.port, servername: "localhost", ...options });
    socket.on("error", () => undefined);
    socket.on("close", () => setTimeout(again, 100));
  };
  again();
  onTestFinished(() => {
    isOver = true;
  });
}

describe("a foreign device at the door", () => {
  it("qualifies when it checks certificates (mqtt.js)", { timeout: 60_000 }, async () => {
    const open = await openDoor();
    client(open);
    const wanted: Wanted = {
      TLS_Incorrect_Subject_Name_Server_Cert: SHORT,
      TLS_Unsecure_Server_Cert: SHORT,
      TLS_Connect: SHORT,
      TLS_Large_Size_Server_Cert: SHORT,
      TLS_Receive_Maximum_Size_Fragments: SHORT,
      MQTT_Connect: SHORT,
      MQTT_Subscribe: SHORT,
      MQTT_Publish: SHORT,
      MQTT_Client_Puback_Qos1: { ...SHORT, PAYLOAD_SIZE: 100 },
    };
    const records = await runAtDoor(open, wanted);
    expect(said(records)).toEqual(Object.fromEntries(Object.keys(wanted).map((id) => [id, "pass"])));
    expect(records.get("TLS_Receive_Maximum_Size_Fragments")?.measurements).toContainEqual({
      name: "largest record",
      value: 16_384,
      unit: "B",
    });
  });

  it("fails when it believes every certificate", { timeout: 60_000 }, async () => {
    const open = await openDoor();
    client(open, { rejectUnauthorized: false });
    const wanted: Wanted = { TLS_Incorrect_Subject_Name_Server_Cert: SHORT, TLS_Unsecure_Server_Cert: SHORT };
    expect(said(await runAtDoor(open, wanted))).toEqual({
      TLS_Incorrect_Subject_Name_Server_Cert:
        "fail: The device accepted a certificate of another name, and sent CONNECT.",
      TLS_Unsecure_Server_Cert:
        "fail: The device accepted a certificate that its authority did not sign, and sent CONNECT.",
    });
  });

  it("fails when it trusts the endpoint in no case", { timeout: 60_000 }, async () => {
    const open = await openDoor();
    client(open, { ca: "" });
    const verdicts = said(await runAtDoor(open, { TLS_Connect: SHORT, TLS_Large_Size_Server_Cert: SHORT }));
    for (const verdict of Object.values(verdicts))
      expect(verdict).toMatch(/^fail: The TLS handshake failed: /);
  });

  it("fails when it ends the connection over large records", { timeout: 60_000 }, async () => {
    const open = await openDoor();
    const device = client(open);
    device.on("packetreceive", (packet) => {
      if (packet.cmd === "publish") device.stream.destroy();
    });
    const records = await runAtDoor(open, { TLS_Receive_Maximum_Size_Fragments: { EXECUTION_TIMEOUT: 4 } });
    expect(said(records)["TLS_Receive_Maximum_Size_Fragments"]).toMatch(
      /^fail: The device did not acknowledge/,
    );
  });

  it.each([
    { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256", verdict: /^pass$/ },
    {
      ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305",
      verdict: /^pass-with-warnings: .*0xcca9/,
    },
    { ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305", verdict: /^fail: AWS IoT speaks none .*0xcca9/ },
  ])("is judged on the suites that it offers: $ciphers", async ({ ciphers, verdict }) => {
    const open = await openDoor();
    handshaker(open, { ciphers, maxVersion: "TLSv1.2", ca: open.certificates.ca });
    const records = await runAtDoor(open, { TLS_Support_AWS_IoT_Cipher_Suites: SHORT });
    expect(said(records)["TLS_Support_AWS_IoT_Cipher_Suites"]).toMatch(verdict);
  });

  it("is inconclusive when nothing comes", async () => {
    const open = await openDoor();
    const records = await runAtDoor(open, { TLS_Connect: { EXECUTION_TIMEOUT: 1 } });
    expect(said(records)["TLS_Connect"]).toBe("inconclusive: Nothing connected to the TLS door.");
  });

  const PAHO = `
import sys, paho.mqtt.client as paho
port, ca = sys.argv[1:3]
def on_connect(client, userdata, flags, code, *rest):
    client.subscribe("cmd/paho", qos=1)
    client.publish("data/paho", "from paho", qos=1)
client = paho.Client(client_id="paho", protocol=paho.MQTTv311, clean_session=False)
client.tls_set(ca_certs=ca)
client.on_connect = on_connect
client.reconnect_delay_set(min_delay=1, max_delay=2)
client.connect_async("localhost", int(port), keepalive=30)
client.loop_forever(retry_first_connection=True)
`;

  it.skipIf(lacksPaho)("qualifies as paho for Python does", { timeout: 60_000 }, async () => {
    const open = await openDoor();
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-qualify-"));
    const ca = join(folder, "ca.pem");
    writeFileSync(ca, open.certificates.ca);
    const device = spawn(PYTHON, ["-c", PAHO, String(open.door.port), ca], { stdio: "ignore" });
    onTestFinished(() => {
      device.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    });
    const wanted: Wanted = {
      MQTT_Connect: SHORT,
      MQTT_Subscribe: SHORT,
      MQTT_Publish: SHORT,
      MQTT_Client_Puback_Qos1: SHORT,
    };
    expect(said(await runAtDoor(open, wanted))).toEqual(
      Object.fromEntries(Object.keys(wanted).map((id) => [id, "pass"])),
    );
  });
});
