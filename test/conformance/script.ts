import { parseDurationUs } from "fleetrig/kernel";
import { type Pattern, parsePattern } from "./byte-pattern.js";

/**
 * A script is a list of lines, each of them one thing that happens, in order:
 *
 *   a > BYTES        client `a` sends them; a client without a connection opens one first
 *   a < BYTES        the next packet that `a` receives looks like this
 *   a|b < BYTES      one of the two receives it
 *   a silent         nothing more has come for `a`, and its connection is open
 *   a closed         the server has ended the connection of `a`, and nothing more had come
 *   a drops          the network connection of `a` breaks
 *   a ends           `a` ends its side of the network connection, without DISCONNECT
 *   advance 90s      time passes for the server
 *   server stops     the server says good-bye and ends
 *
 * and, because nearly every script begins with them (`a` is also the client identifier):
 *
 *   a connects BYTES?           CONNECT with Clean Start 1 and these properties, accepted
 *   a resumes BYTES?            CONNECT with Clean Start 0, accepted with Session Present 1
 *   a subscribes BYTES OPTIONS  SUBSCRIBE to one filter, granted with the QoS of the options
 */
export type Step =
  | { readonly kind: "send"; readonly client: string; readonly bytes: Pattern; readonly line: string }
  | {
      readonly kind: "expect";
      readonly clients: readonly string[];
      readonly bytes: Pattern;
      readonly line: string;
    }
  | { readonly kind: ClientEvent; readonly client: string; readonly line: string }
  | { readonly kind: "advance"; readonly us: number; readonly line: string }
  | { readonly kind: "stop"; readonly line: string };

export type ClientEvent = "silent" | "closed" | "drops" | "ends";

/** The two specifications, by the names of their folders. */
export type SpecVersion = "v5" | "v3.1.1";

const LINE = /^(?<who>[a-z0-9|]+) (?<verb>[a-z0-9.]+|>|<)(?: (?<rest>.*))?$/;

interface Shorthand {
  readonly client: string;
  readonly rest: string;
  readonly version: SpecVersion;
}

const connect = ({ client, rest, version }: Shorthand, cleanStart: boolean): string[] => {
  const flags = cleanStart ? "02" : "00";
  const present = cleanStart ? "00" : "01";
  return version === "v5"
    ? [
        `${client} > 10 {'MQTT' 05 ${flags} 0000 {${rest}} '${client}'}`,
        `${client} < 20 {${present} 00 {..}}`,
      ]
    : [`${client} > 10 {'MQTT' 04 ${flags} 0000 '${client}'}`, `${client} < 20 {${present} 00}`];
};

/** Lines that stand for others. */
const SHORTHANDS: Readonly<Record<string, (shorthand: Shorthand) => string[]>> = {
  connects: (shorthand) => connect(shorthand, true),
  resumes: (shorthand) => connect(shorthand, false),
  subscribes: ({ client, rest, version }) => {
    const options = Number.parseInt(rest.slice(-2), 16);
    const granted = `0${options & 3}`;
    const none = version === "v5" ? "{}" : "";
    return [`${client} > 82 {7001 ${none} ${rest}}`, `${client} < 90 {7001 ${none} ${granted}}`];
  },
};

const CLIENT_EVENTS: readonly string[] = ["silent", "closed", "drops", "ends"] satisfies ClientEvent[];

function parseLine(line: string, version: SpecVersion): Step[] {
  const { who = "", verb = "", rest = "" } = LINE.exec(line)?.groups ?? {};
  const us = who === "advance" ? parseDurationUs(line.slice(8)) : undefined;
  if (us !== undefined) return [{ kind: "advance", us, line }];
  if (line === "server stops") return [{ kind: "stop", line }];
  const shorthand = SHORTHANDS[verb];
  if (shorthand !== undefined)
    return shorthand({ client: who, rest, version }).flatMap((each) => parseLine(each, version));
  const isAboutBytes = rest !== "" && (verb === ">" || verb === "<");
  if (isAboutBytes && verb === ">") return [{ kind: "send", client: who, bytes: parsePattern(rest), line }];
  if (isAboutBytes) return [{ kind: "expect", clients: who.split("|"), bytes: parsePattern(rest), line }];
  if (CLIENT_EVENTS.includes(verb)) return [{ kind: verb as ClientEvent, client: who, line }];
  throw new Error(`A script has no line like: ${line}`);
}

/** Reads the lines of a script. */
export const parseScript = (lines: readonly string[], version: SpecVersion): Step[] =>
  lines.flatMap((line) => parseLine(line, version));
