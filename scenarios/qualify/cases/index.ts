import type { QualificationCase } from "../qualification-case.js";
import { connectingCases } from "./connecting.js";
import { handshakeCases } from "./handshakes.js";
import { longRunCases } from "./long-run.js";
import { policyCases } from "./policies.js";
import { publishingCases } from "./publishing.js";
import { receivingCases } from "./receiving.js";
import { serviceCases } from "./services.js";
import { sessionCases } from "./sessions.js";
import { subscribingCases } from "./subscribing.js";

/** Every case of Device Advisor (REF §15, and that of the first reconnect), in the order in which they run. */
export const QUALIFICATION_CASES: readonly QualificationCase[] = [
  ...handshakeCases,
  ...connectingCases,
  ...publishingCases,
  ...subscribingCases,
  ...receivingCases,
  ...sessionCases,
  ...serviceCases,
  ...policyCases,
  ...longRunCases,
];

/** AWS's qualification set: what a device needs to be listed. */
export const QUALIFICATION_SET: readonly string[] = [
  "TLS_Incorrect_Subject_Name_Server_Cert",
  "TLS_Unsecure_Server_Cert",
  "TLS_Connect",
  "MQTT_Connect",
  "MQTT_Subscribe",
  "MQTT_Publish",
];

/** AWS itself writes its ids with small and capital letters as it comes: `Puback_Qos1`, `Puback_QoS1`. */
export function findCase(id: string): QualificationCase | undefined {
  const wanted = id.toLowerCase();
  return QUALIFICATION_CASES.find((candidate) => candidate.id.toLowerCase() === wanted);
}
