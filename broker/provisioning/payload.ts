import { isJsonObject, type JsonObject, parseJson } from "fleetrig/kernel";
import { decodeCbor, encodeCbor, type PayloadFormat } from "fleetrig/protocol";

const MAX_DEPTH = 8;

/** A request's payload as an object; an empty payload is an empty object. Undefined when it is none. */
export function readPayload(payload: Uint8Array, format: PayloadFormat): JsonObject | undefined {
  if (payload.length === 0) return {};
  const parsed =
    format === "cbor"
      ? decodeCbor(payload, { depth: MAX_DEPTH, items: 1_000 })
      : parseJson(Buffer.from(payload).toString(), MAX_DEPTH);
  // Byte strings of CBOR have no place in these requests: members are checked to be text one by one.
  return parsed.ok && isJsonObject(parsed.value) && !(parsed.value instanceof Uint8Array)
    ? parsed.value
    : undefined;
}

export const writePayload = (body: JsonObject, format: PayloadFormat): Uint8Array | string =>
  format === "cbor" ? encodeCbor(body) : JSON.stringify(body);
