/**
 * Byte strings that must be refused: what is wrong, the bytes in hex, the reason code and the statement broken.
 * Each section starts from a link in a known state, given by its opening bytes.
 */
type MalformedRow = readonly [what: string, hex: string, reasonCode: number, spec: string];

export interface MalformedSection {
  readonly name: string;
  readonly role: "server" | "client";
  readonly version: 4 | 5;
  readonly opening: string;
  readonly rows: readonly MalformedRow[];
}

const CONNECT_V4 = "10 0d 0004 4d515454 04 02 003c 0001 61";
const CONNECT_V5 = "10 0e 0004 4d515454 05 02 003c 00 0001 61";

const FRAME_ROWS: readonly MalformedRow[] = [
  ["packet type 0", "00 00", 0x81, "2.1.2"],
  ["a packet before CONNECT", "c0 00", 0x82, "MQTT-3.1.0-1"],
  ["CONNECT with flags", "11 00", 0x81, "MQTT-2.1.3-1"],
  ["CONNACK from a client", "20 00", 0x82, "2.1.2"],
  ["SUBACK from a client", "90 00", 0x82, "2.1.2"],
  ["PINGRESP from a client", "d0 00", 0x82, "2.1.2"],
  ["AUTH before the version is known", "f0 00", 0x82, "2.1.2"],
  ["a remaining length of five bytes", "10 ffffffff 01", 0x81, "1.5.5"],
  ["a remaining length that is not minimal", "10 8000", 0x81, "MQTT-1.5.5-1"],
  ["a CONNECT over 64 KiB", "10 fe ff 03", 0x95, "MQTT-3.1.2-24"],
];

const CONNECT_ROWS: readonly MalformedRow[] = [
  ["an empty CONNECT", "10 00", 0x81, "MQTT-2.1.4"],
  ["a protocol name that is cut", "10 03 0004 4d", 0x81, "MQTT-2.1.4"],
  ["a wrong protocol name", "10 0d 0004 4d515458 04 02 003c 0001 61", 0x84, "MQTT-3.1.2-1"],
  ["MQIsdp with level 4", "10 0f 0006 4d5149736470 04 02 003c 0001 61", 0x84, "MQTT-3.1.2-2"],
  ["the reserved flag", "10 0d 0004 4d515454 04 03 003c 0001 61", 0x81, "MQTT-3.1.2-3"],
  ["a will QoS without a will", "10 0d 0004 4d515454 04 0a 003c 0001 61", 0x81, "MQTT-3.1.2-11"],
  ["will QoS 3", "10 0d 0004 4d515454 04 1e 003c 0001 61", 0x81, "MQTT-3.1.2-12"],
  ["Will Retain without a will", "10 0d 0004 4d515454 04 22 003c 0001 61", 0x81, "MQTT-3.1.2-13"],
  [
    "a password without a user name in 3.1.1",
    "10 10 0004 4d515454 04 42 003c 0001 61 0001 62",
    0x81,
    "3.1.1: MQTT-3.1.2-22",
  ],
  ["a missing will", "10 0d 0004 4d515454 04 06 003c 0001 61", 0x81, "MQTT-2.1.4"],
  ["an empty will topic", "10 11 0004 4d515454 04 06 003c 0001 61 0000 0000", 0x81, "MQTT-4.7.3-1"],
  ["a missing user name", "10 0d 0004 4d515454 04 82 003c 0001 61", 0x81, "MQTT-2.1.4"],
  ["a missing password", "10 10 0004 4d515454 04 c2 003c 0001 61 0001 62", 0x81, "MQTT-2.1.4"],
  ["a client identifier with NUL", "10 0d 0004 4d515454 04 02 003c 0001 00", 0x81, "MQTT-1.5.4-2"],
  ["bytes after the payload", "10 0e 0004 4d515454 04 02 003c 0001 61 00", 0x81, "2.1.4"],
  ["a property of another packet", "10 10 0004 4d515454 05 02 003c 02 0101 0001 61", 0x81, "2.2.2.2"],
  ["a property length beyond the packet", "10 0e 0004 4d515454 05 02 003c 05 0001 61", 0x81, "MQTT-2.2.2-1"],
  ["Receive Maximum 0", "10 11 0004 4d515454 05 02 003c 03 210000 0001 61", 0x82, "2.2.2.2"],
  ["Maximum Packet Size 0", "10 13 0004 4d515454 05 02 003c 05 2700000000 0001 61", 0x82, "2.2.2.2"],
  ["Request Problem Information 2", "10 10 0004 4d515454 05 02 003c 02 1702 0001 61", 0x82, "2.2.2.2"],
  ["Receive Maximum twice", "10 14 0004 4d515454 05 02 003c 06 210001210001 0001 61", 0x82, "2.2.2.2"],
  [
    "authentication data without a method",
    "10 12 0004 4d515454 05 02 003c 04 16000161 0001 61",
    0x82,
    "3.1.2.11.10",
  ],
  ["Will Delay outside the will", "10 13 0004 4d515454 05 02 003c 05 1800000001 0001 61", 0x81, "2.2.2.2"],
];

const CLIENT_V4_ROWS: readonly MalformedRow[] = [
  ["a second CONNECT", CONNECT_V4, 0x82, "MQTT-3.1.0-2"],
  ["AUTH in 3.1.1", "f0 00", 0x82, "2.1.2"],
  ["PUBLISH with QoS 3", "36 07 0001 61 0001 6262", 0x81, "MQTT-3.3.1-4"],
  ["DUP with QoS 0", "38 03 0001 61", 0x81, "MQTT-3.3.1-2"],
  ["PUBLISH with packet identifier 0", "32 05 0001 61 0000", 0x82, "MQTT-2.2.1-3"],
  ["PUBLISH without its packet identifier", "32 03 0001 61", 0x81, "MQTT-2.1.4"],
  ["PUBLISH with an empty topic", "30 02 0000", 0x81, "MQTT-4.7.3-1"],
  ["PUBLISH without a topic", "30 01 00", 0x81, "MQTT-2.1.4"],
  ["a topic longer than the packet", "30 04 0003 6161", 0x81, "MQTT-2.1.4"],
  ["NUL in a topic", "30 05 0003 610061", 0x81, "MQTT-1.5.4-2"],
  ["a lone continuation byte", "30 03 0001 80", 0x81, "MQTT-1.5.4-1"],
  ["an overlong encoding", "30 04 0002 c080", 0x81, "MQTT-1.5.4-1"],
  ["a surrogate", "30 05 0003 eda080", 0x81, "MQTT-1.5.4-1"],
  ["a code point beyond U+10FFFF", "30 06 0004 f4908080", 0x81, "MQTT-1.5.4-1"],
  ["a cut character", "30 04 0002 e282", 0x81, "MQTT-1.5.4-1"],
  ["PUBACK with flags", "42 02 0001", 0x81, "MQTT-2.1.3-1"],
  ["PUBACK with packet identifier 0", "40 02 0000", 0x82, "MQTT-2.2.1-3"],
  ["PUBACK that is too long", "40 03 0001 00", 0x81, "2.1.4"],
  ["PUBACK that is too short", "40 01 00", 0x81, "MQTT-2.1.4"],
  ["PUBREL without its flags", "60 02 0001", 0x81, "MQTT-2.1.3-1"],
  ["SUBSCRIBE without its flags", "80 06 0001 0001 61 00", 0x81, "MQTT-2.1.3-1"],
  ["SUBSCRIBE with packet identifier 0", "82 06 0000 0001 61 00", 0x82, "MQTT-2.2.1-3"],
  ["SUBSCRIBE without a filter", "82 02 0001", 0x82, "MQTT-3.8.3-2"],
  ["SUBSCRIBE with an empty filter", "82 05 0001 0000 00", 0x81, "MQTT-4.7.3-1"],
  ["SUBSCRIBE without the QoS", "82 05 0001 0001 61", 0x81, "MQTT-2.1.4"],
  ["SUBSCRIBE for QoS 3", "82 06 0001 0001 61 03", 0x81, "3.8.3.1"],
  ["SUBSCRIBE with options of MQTT 5", "82 06 0001 0001 61 04", 0x81, "3.1.1: MQTT-3.8.3-4"],
  ["UNSUBSCRIBE without its flags", "a0 05 0001 0001 61", 0x81, "MQTT-2.1.3-1"],
  ["UNSUBSCRIBE without a filter", "a2 02 0001", 0x82, "MQTT-3.10.3-2"],
  ["UNSUBSCRIBE with an empty filter", "a2 04 0001 0000", 0x81, "MQTT-4.7.3-1"],
  ["PINGREQ with content", "c0 01 00", 0x81, "2.1.4"],
  ["DISCONNECT with content", "e0 01 00", 0x81, "2.1.4"],
  ["PUBLISH over the limit", "30 e907", 0x95, "MQTT-3.1.2-24"],
];

const CLIENT_V5_ROWS: readonly MalformedRow[] = [
  ["neither a topic nor an alias", "30 03 0000 00", 0x82, "MQTT-3.3.2.3.4"],
  ["Topic Alias 0", "30 07 0001 61 03 230000", 0x94, "2.2.2.2"],
  ["a subscription identifier from a client", "30 06 0001 61 02 0b01", 0x82, "MQTT-3.3.4-6"],
  ["Payload Format 2", "30 06 0001 61 02 0102", 0x82, "2.2.2.2"],
  ["an unknown property", "30 06 0001 61 02 7f00", 0x81, "2.2.2.2"],
  ["a property identifier of two bytes", "30 06 0001 61 02 8101", 0x81, "2.2.2.2"],
  ["a property that is cut", "30 06 0001 61 02 0200", 0x81, "MQTT-2.1.4"],
  ["a text property beyond the properties", "30 08 0001 61 03 030001 61", 0x81, "MQTT-2.1.4"],
  ["binary data beyond the properties", "30 08 0001 61 03 090001 61", 0x81, "MQTT-2.1.4"],
  ["a message expiry twice", "30 0e 0001 61 0a 0200000001 0200000001", 0x82, "2.2.2.2"],
  ["a property length of five bytes", "30 08 0001 61 8080808001", 0x81, "1.5.5"],
  ["PUBACK with an unknown reason code", "40 03 0001 01", 0x82, "MQTT-3.4.2-1"],
  ["PUBREC with an unknown reason code", "50 03 0001 92", 0x82, "MQTT-3.5.2-1"],
  ["PUBREL with an unknown reason code", "62 03 0001 10", 0x82, "MQTT-3.6.2-1"],
  ["PUBCOMP with an unknown reason code", "70 03 0001 80", 0x82, "MQTT-3.7.2-1"],
  ["subscription identifier 0", "82 09 0001 02 0b00 0001 61 00", 0x82, "2.2.2.2"],
  ["two subscription identifiers", "82 0b 0001 04 0b010b02 0001 61 00", 0x82, "2.2.2.2"],
  ["reserved subscription bits", "82 07 0001 00 0001 61 40", 0x81, "MQTT-3.8.3-5"],
  ["Retain Handling 3", "82 07 0001 00 0001 61 30", 0x82, "3.8.3.1"],
  ["No Local on a shared subscription", "82 0f 0001 00 0009 24736861 72652f612f 04", 0x82, "MQTT-3.8.3-4"],
  ["a reason string in SUBSCRIBE", "82 0b 0001 04 1f000161 0001 61 00", 0x81, "2.2.2.2"],
  ["DISCONNECT with an unknown reason code", "e0 01 01", 0x82, "MQTT-3.14.2-1"],
  ["AUTH with an unknown reason code", "f0 02 01 00", 0x82, "MQTT-3.15.2-1"],
  ["AUTH without its properties", "f0 01 18", 0x81, "MQTT-2.1.4"],
];

const SERVER_V4_ROWS: readonly MalformedRow[] = [
  ["DISCONNECT from a 3.1.1 server", "e0 00", 0x82, "2.1.2"],
  ["CONNECT from a server", CONNECT_V4, 0x82, "2.1.2"],
  ["a second CONNACK", "20 02 0000", 0x82, "MQTT-3.2.0-2"],
  ["SUBACK without a return code", "90 02 0001", 0x82, "MQTT-3.8.4-6"],
  ["SUBACK with return code 3", "90 03 0001 03", 0x81, "3.1.1: MQTT-3.9.3-2"],
  ["UNSUBACK with a reason code", "b0 03 0001 00", 0x81, "2.1.4"],
];

const SERVER_V5_ROWS: readonly MalformedRow[] = [
  ["SUBACK with an unknown reason code", "90 04 0001 00 03", 0x82, "MQTT-3.9.3-2"],
  ["UNSUBACK without a reason code", "b0 03 0001 00", 0x82, "MQTT-3.11.3-1"],
  ["a session expiry from a server", "e0 07 8b 05 1100000001", 0x82, "MQTT-3.14.2-2"],
  ["SUBSCRIBE from a server", "82 00", 0x82, "2.1.2"],
];

const CONNACK_ROWS: readonly MalformedRow[] = [
  ["a packet before CONNACK", "d0 00", 0x82, "MQTT-3.2.0-1"],
  ["reserved CONNACK flags", "20 02 0200", 0x81, "MQTT-3.2.2-1"],
  ["an unknown return code", "20 02 0006", 0x81, "3.1.1: 3.2.2.3"],
  ["a session with a refusal", "20 02 0105", 0x82, "MQTT-3.2.2-6"],
];

export const MALFORMED: readonly MalformedSection[] = [
  { name: "first bytes", role: "server", version: 4, opening: "", rows: FRAME_ROWS },
  { name: "CONNECT", role: "server", version: 4, opening: "", rows: CONNECT_ROWS },
  { name: "3.1.1 client", role: "server", version: 4, opening: CONNECT_V4, rows: CLIENT_V4_ROWS },
  { name: "MQTT 5 client", role: "server", version: 5, opening: CONNECT_V5, rows: CLIENT_V5_ROWS },
  { name: "3.1.1 server", role: "client", version: 4, opening: "20 02 0000", rows: SERVER_V4_ROWS },
  { name: "MQTT 5 server", role: "client", version: 5, opening: "20 03 0000 00", rows: SERVER_V5_ROWS },
  { name: "3.1.1 CONNACK", role: "client", version: 4, opening: "", rows: CONNACK_ROWS },
  {
    name: "MQTT 5 CONNACK",
    role: "client",
    version: 5,
    opening: "",
    rows: [
      ["an unknown reason code", "20 03 0001 00", 0x82, "MQTT-3.2.2-8"],
      ["Maximum QoS 2", "20 05 0000 02 2402", 0x82, "2.2.2.2"],
      ["missing properties", "20 02 0000", 0x81, "MQTT-2.1.4"],
    ],
  },
];
