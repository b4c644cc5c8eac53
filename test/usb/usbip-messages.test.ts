import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeDeviceList,
  decodeImport,
  type DeviceSummary,
  encodeDeviceList,
  encodeImport,
  encodeImportRequest,
  encodeListRequest,
  IMPORT_REPLY_BYTES,
  MAX_TRANSFER_BYTES,
  UsbipDecoder,
  type UsbipRequest,
} from "../../hil/virtual/usbip/usbip-messages.js";
import { encodeSubmit, encodeUnlink } from "./usb-host.js";

const word = fc.integer({ min: 0, max: 0xffff });
const setup = fc.record({
  requestType: fc.integer({ min: 0, max: 255 }),
  request: fc.integer({ min: 0, max: 255 }),
  value: word,
  index: word,
  lengthBytes: word,
});
const submit = fc
  .record({
    sequence: fc.integer({ min: 1, max: 0xffff_ffff }),
    endpoint: fc.integer({ min: 0, max: 15 }),
    isIn: fc.boolean(),
    setup,
    data: fc.uint8Array({ maxLength: 300 }),
  })
  .map((urb) => ({ ...urb, lengthBytes: urb.data.length, ...(urb.isIn && { data: new Uint8Array() }) }));

const DEVICE: DeviceSummary = {
  busId: "1-4",
  busNumber: 1,
  deviceNumber: 4,
  vendorId: 0x10c4,
  productId: 0xea60,
  release: 0x100,
  deviceClass: [0, 0, 0],
  configuration: 1,
  interfaces: [[0xff, 0, 0]],
};

function decoded(stream: Uint8Array, cuts: readonly number[], isImported = true): UsbipRequest[] {
  const requests: UsbipRequest[] = [];
  const decoder = new UsbipDecoder((request) => requests.push(request));
  if (isImported) decoder.imported();
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (stream.length + 1)).sort((a, b) => a - b), stream.length]) {
    decoder.push(stream.subarray(from, cut));
    from = cut;
  }
  return requests;
}

describe("USB/IP messages", () => {
  it("come out as they went in, wherever the stream was cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(submit, fc.integer({ min: 1, max: 1000 })), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (messages, cuts) => {
          const stream = Buffer.concat(
            messages.map((one) => (typeof one === "number" ? encodeUnlink(7, one) : encodeSubmit(one))),
          );
          expect(decoded(stream, cuts)).toEqual(
            messages.map((one) =>
              typeof one === "number"
                ? { kind: "unlink", sequence: 7, unlinks: one }
                : { kind: "submit", deviceId: 0x10001, ...one },
            ),
          );
        },
      ),
    );
  });

  it("never throw and never keep more than one message, whatever comes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, isImported) => {
        decoded(bytes, [], isImported);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [
      "a transfer that is longer than any",
      encodeSubmit({ sequence: 1, isIn: true, endpoint: 1, lengthBytes: MAX_TRANSFER_BYTES + 1 }),
      "length",
    ],
    [
      "an endpoint that cannot be",
      encodeSubmit({ sequence: 1, isIn: true, endpoint: 16, lengthBytes: 1 }),
      "direction",
    ],
    [
      "packets in time slots",
      Buffer.from(encodeSubmit({ sequence: 1, isIn: true, endpoint: 1, lengthBytes: 8 })).fill(3, 35, 36),
      "isochronous",
    ],
    ["something else", Buffer.alloc(48, 9), "command"],
  ] as const)("%s ends the connection", (_what, bytes, violation) => {
    const decoder = new UsbipDecoder(() => expect.unreachable());
    decoder.imported();
    decoder.push(bytes);
    expect(decoder.violation).toBe(violation);
  });

  it("asks and answers for lists and imports as the other side reads them", () => {
    expect(decoded(encodeListRequest(), [], false)).toEqual([{ kind: "list" }]);
    expect(decoded(encodeImportRequest("1-4"), [3, 20], false)).toEqual([{ kind: "import", busId: "1-4" }]);
    const list = encodeDeviceList([DEVICE, { ...DEVICE, busId: "2-1" }]);
    expect(decodeDeviceList(list)).toEqual(["1-4", "2-1"]);
    expect(decodeDeviceList(list.subarray(0, -1))).toBeUndefined();
    const reply = encodeImport(DEVICE);
    expect(reply.length).toBe(IMPORT_REPLY_BYTES);
    expect(decodeImport(reply)).toEqual({ isRefused: false, deviceId: 0x10004, speed: 2 });
    expect(decodeImport(encodeImport(undefined))).toEqual({ isRefused: true });
  });
});
