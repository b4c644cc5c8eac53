import { US_PER_S } from "fleetrig/kernel";
import { sortSuites } from "../endpoint/cipher-suites.js";
import type { CaseEvidence, HandshakeNote } from "../evidence.js";
import { completedHandshakes, connectsOf, toMs } from "../evidence-reader.js";
import { failed, inconclusive, type Judgement, type Measurement, passed } from "../judgement.js";
import type { QualificationCase } from "../qualification-case.js";
import { largeRecordCase } from "./receiving.js";

const NOBODY = "Nothing connected to the TLS door.";
/** Handshakes that failed before a device has shown that it will not get through. */
const FAILED_HANDSHAKES = 3;
/** A device that has seen a bad certificate and has not ended the connection in that time keeps it. */
const DECIDED_US = 10 * US_PER_S;
const GROWTH = 1.2;
/** Keys and signatures differ by some bytes. */
const SLACK = 0.02;

const refusals = ({ handshakes }: CaseEvidence): readonly HandshakeNote[] =>
  handshakes.filter(({ outcome }) => outcome === "refused" || outcome === "closed");

const handshakeFacts = ({ protocol, cipher, atUs, endedUs }: HandshakeNote): Measurement[] => [
  ...(protocol === undefined ? [] : [{ name: "protocol", value: protocol }]),
  ...(cipher === undefined ? [] : [{ name: "cipher", value: cipher }]),
  ...(endedUs === undefined ? [] : [{ name: "handshake", value: toMs(endedUs - atUs), unit: "ms" }]),
];

const reasonOf = ({ outcome, reason }: HandshakeNote): string =>
  reason ?? (outcome === "closed" ? "the device ended the connection" : "it was refused");

/** A handshake that has to succeed. */
function judgeHandshake(
  evidence: CaseEvidence,
  details: (handshake: HandshakeNote) => Parameters<typeof passed>[0] = () => ({}),
): Judgement | undefined {
  const [completed] = completedHandshakes(evidence);
  if (completed !== undefined) {
    const { measurements = [], ...others } = details(completed) ?? {};
    return passed({ ...others, measurements: [...handshakeFacts(completed), ...measurements] });
  }
  const failures = refusals(evidence);
  if (failures.length < FAILED_HANDSHAKES && !evidence.isOver) return undefined;
  const last = failures.at(-1);
  if (last !== undefined) return failed(`The TLS handshake failed: ${reasonOf(last)}.`);
  return evidence.handshakes.length > 0
    ? failed("The TLS handshake did not come to an end.")
    : inconclusive(NOBODY);
}

/** A certificate that the device must not accept. */
function judgeRefusal(evidence: CaseEvidence, what: string): Judgement | undefined {
  const [connect] = connectsOf(evidence);
  if (connect !== undefined) return failed(`The device accepted a certificate ${what}, and sent CONNECT.`);
  const kept = completedHandshakes(evidence).find(
    ({ endedUs = 0, closedUs }) => (closedUs ?? evidence.nowUs) - endedUs > DECIDED_US,
  );
  if (kept !== undefined)
    return failed(`The device accepted a certificate ${what}, and kept the connection open.`);
  const refused = evidence.handshakes.find(
    ({ outcome, closedUs }) => outcome === "refused" || (outcome === "completed" && closedUs !== undefined),
  );
  const closed = refused ?? refusals(evidence)[0];
  if (closed !== undefined && hasRead(closed))
    return passed({
      measurements: [
        { name: "answer", value: closed.reason ?? "connection ended" },
        {
          name: "ended after",
          value: toMs((closed.closedUs ?? closed.endedUs ?? closed.atUs) - closed.atUs),
          unit: "ms",
        },
      ],
    });
  return evidence.isOver ? inconclusive(NOBODY) : undefined;
}

/** It came as far as the certificate: its hello was answered. */
const hasRead = ({ hello }: HandshakeNote): boolean => typeof hello === "object";

function judgeSuites(evidence: CaseEvidence): Judgement | undefined {
  const hello = evidence.handshakes
    .map((handshake) => handshake.hello)
    .find((read) => typeof read === "object");
  if (hello === undefined) {
    const unreadable = evidence.handshakes
      .map((handshake) => handshake.hello)
      .find((read) => typeof read === "string");
    if (!evidence.isOver) return undefined;
    return unreadable === undefined
      ? inconclusive(NOBODY)
      : failed(`The ClientHello cannot be read: ${unreadable}.`);
  }
  const { recommended, supported, unsupported } = sortSuites(hello.cipherSuites);
  const measurements: Measurement[] = [
    { name: "versions", value: hello.versions.join(", ") },
    { name: "recommended suites", value: recommended.join(", ") || "none" },
    { name: "suites offered", value: hello.cipherSuites.length },
  ];
  if (supported.length === 0)
    return failed(`AWS IoT speaks none of the cipher suites offered: ${unsupported.join(", ")}.`, {
      measurements,
    });
  const warnings = [
    ...(recommended.length === 0 ? ["None of the cipher suites offered is a recommended one."] : []),
    ...(unsupported.length > 0
      ? [
          `AWS IoT does not speak ${unsupported.length} of the cipher suites offered: ${unsupported.join(", ")}.`,
        ]
      : []),
  ];
  return passed({ measurements, warnings });
}

export const handshakeCases: readonly QualificationCase[] = [
  {
    id: "TLS_Connect",
    group: "TLS",
    title: "gets through a TLS handshake",
    accepts: [],
    judge: (evidence) =>
      judgeHandshake(evidence, ({ hello }) => ({
        warnings:
          typeof hello === "object" && hello.serverName === undefined
            ? [
                "The device names no server (SNI); AWS IoT needs the name for custom domains and for TLS policies.",
              ]
            : [],
      })),
  },
  largeRecordCase,
  {
    id: "TLS_Support_AWS_IoT_Cipher_Suites",
    group: "TLS",
    title: "offers cipher suites that AWS IoT speaks",
    accepts: [],
    judge: judgeSuites,
  },
  {
    id: "TLS_Large_Size_Server_Cert",
    group: "TLS",
    title: "takes a server certificate that is a fifth larger",
    accepts: [],
    certificate: "larger",
    judge: (evidence) =>
      judgeHandshake(evidence, ({ certificateBytes }) => ({
        measurements: [{ name: "certificate", value: certificateBytes, unit: "B" }],
      })),
  },
  {
    id: "TLS_Unsecure_Server_Cert",
    group: "TLS",
    title: "refuses a server certificate of another authority",
    accepts: [],
    certificate: "other-authority",
    judge: (evidence) => judgeRefusal(evidence, "that its authority did not sign"),
  },
  {
    id: "TLS_Incorrect_Subject_Name_Server_Cert",
    group: "TLS",
    title: "refuses a server certificate with another name",
    accepts: [],
    certificate: "wrong-name",
    judge: (evidence) => judgeRefusal(evidence, "of another name"),
  },
];

/** How much larger the larger certificate is, at least. */
export const LARGER_CERTIFICATE = GROWTH - SLACK;
