import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { type CborValue, decodeCbor, type PayloadFormat } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { CommandResult, CommandStatus, StatusReason } from "./command.js";

/** Why the response of a device was refused. */
export type CommandErrorCode =
  | "InvalidTopic"
  | "InvalidJson"
  | "InvalidRequest"
  | "InvalidStateTransition"
  | "ResourceNotFound"
  | "TerminalStateReached";

/** What a device says about an execution. */
export interface CommandResponse {
  readonly status: CommandStatus;
  readonly statusReason?: StatusReason;
  readonly result?: CommandResult;
}

export type ResponseReading =
  | { readonly ok: true; readonly response: CommandResponse }
  | { readonly ok: false; readonly code: CommandErrorCode; readonly message: string };

const MAX_DEPTH = 8;
const MAX_ITEMS = 1_000;
const STATUSES: ReadonlySet<unknown> = new Set([
  "IN_PROGRESS",
  "SUCCEEDED",
  "FAILED",
  "REJECTED",
  "TIMED_OUT",
]);
const REASON_CODE = /^[A-Z0-9_-]{1,64}$/;
const REASON_DESCRIPTION = /^[^\p{C}]{0,1024}$/u;
const RESULT_NAME = /^[a-zA-Z0-9_-]{1,32}$/;
const MAX_RESULTS = 50;

type Body = Readonly<Record<string, JsonValue | CborValue>>;

const refuse = (code: CommandErrorCode, message: string): ResponseReading => ({ ok: false, code, message });

/** Own members only: a device chooses the keys. */
const member = (body: Body, name: string): JsonValue | CborValue | undefined =>
  Object.hasOwn(body, name) && body[name] !== null ? body[name] : undefined;

/** Reads `{status, statusReason?, result?}`; without a format the payload is JSON. */
export function readResponse(
  message: ApplicationMessage,
  format: PayloadFormat | undefined,
): ResponseReading {
  const parsed =
    format === "cbor" ? decodeCbor(message.payload, { depth: MAX_DEPTH, items: MAX_ITEMS }) : message.json();
  if (!parsed.ok) return refuse("InvalidJson", `The payload is no ${format === "cbor" ? "CBOR" : "JSON"}.`);
  if (!isJsonObject(parsed.value)) return refuse("InvalidRequest", "The payload is no map.");
  const body = parsed.value as Body;
  const status = member(body, "status");
  if (!STATUSES.has(status)) return refuse("InvalidRequest", `status is one of ${[...STATUSES].join(", ")}.`);
  const statusReason = readReason(member(body, "statusReason"));
  if (statusReason === "invalid")
    return refuse("InvalidRequest", "statusReason has a reasonCode of A-Z, 0-9, _ and -, and maybe a text.");
  const result = readResult(member(body, "result"));
  if (result === "invalid")
    return refuse("InvalidRequest", "result maps names of 1 to 32 characters to an S, a B or a BIN each.");
  return {
    ok: true,
    response: {
      status: status as CommandStatus,
      ...(statusReason !== undefined && { statusReason }),
      ...(result !== undefined && { result }),
    },
  };
}

function readReason(value: unknown): StatusReason | undefined | "invalid" {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return "invalid";
  const reasonCode = member(value, "reasonCode");
  const reasonDescription = member(value, "reasonDescription");
  if (typeof reasonCode !== "string" || !REASON_CODE.test(reasonCode)) return "invalid";
  if (reasonDescription === undefined) return { reasonCode };
  if (typeof reasonDescription !== "string" || !REASON_DESCRIPTION.test(reasonDescription)) return "invalid";
  return { reasonCode, reasonDescription };
}

function readResult(value: unknown): CommandResult | undefined | "invalid" {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return "invalid";
  const entries = Object.entries(value);
  if (entries.length > MAX_RESULTS) return "invalid";
  const results: [string, CommandResult[string]][] = [];
  for (const [name, item] of entries) {
    const result = readResultValue(item);
    if (!RESULT_NAME.test(name) || result === undefined) return "invalid";
    results.push([name, result]);
  }
  return Object.fromEntries(results);
}

/** `{"S": "text"}`, `{"B": true}` or `{"BIN": bytes}`; in JSON bytes are base64. */
function readResultValue(value: unknown): CommandResult[string] | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== 1) return undefined;
  const S = member(value, "S");
  if (typeof S === "string" && S !== "") return { S };
  const B = member(value, "B");
  if (typeof B === "boolean") return { B };
  const BIN: unknown = member(value, "BIN");
  if (BIN instanceof Uint8Array) return { BIN };
  return typeof BIN === "string" && BIN !== ""
    ? { BIN: Uint8Array.from(Buffer.from(BIN, "base64")) }
    : undefined;
}
