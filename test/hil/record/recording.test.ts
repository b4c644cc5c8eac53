import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type PortRecord, readRecording, RecordFile, recordPorts, replayPorts } from "fleetrig/hil";
import { VirtualTime } from "fleetrig/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeRecord, RECORDING_MAGIC } from "../../../hil/record/recording.js";
import { MemoryBoard } from "../port/memory-board.js";
import { Listener } from "../port/terminal.js";

const ADDRESS = { kind: "tty", path: "/dev/ttyUSB0" } as const;

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleetrig-record-"));
  file = join(folder, "board.frport");
});
afterEach(() => rmSync(folder, { recursive: true }));

const later = fc.nat(2 ** 40);
const bytes = fc.uint8Array({ maxLength: 300 });
const record: fc.Arbitrary<PortRecord> = fc.oneof(
  fc.record({ kind: fc.constantFrom("received", "written"), atUs: later, bytes }),
  fc.record({ kind: fc.constant("lines"), atUs: later, dtr: fc.boolean(), rts: fc.boolean() }),
  fc.record({ kind: fc.constant("baud"), atUs: later, baud: fc.integer({ min: 50, max: 12_000_000 }) }),
  fc.record({ kind: fc.constant("closed"), atUs: later, reason: fc.constantFrom("local", "disconnected") }),
) as fc.Arbitrary<PortRecord>;

const opened: PortRecord = {
  kind: "opened",
  atUs: 0,
  port: "/dev/ttyUSB0",
  baud: 115_200,
  wallMs: 1_767_225_600_000,
};

function encoded(records: readonly PortRecord[]): Buffer {
  let beforeUs = 0;
  const parts = records.map((each) => {
    const part = encodeRecord(each, beforeUs);
    beforeUs = each.atUs;
    return part;
  });
  return Buffer.concat([RECORDING_MAGIC, ...parts]);
}

const plain = (records: readonly PortRecord[]) =>
  records.map((each) => ("bytes" in each ? { ...each, bytes: [...each.bytes] } : each));

describe("a recording", () => {
  it("reads back what was noted", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (parts) => {
        const records = [opened, ...parts.sort((a, b) => a.atUs - b.atUs)];
        expect(plain(readRecording(encoded(records)).records)).toEqual(plain(records));
      }),
    );
  });

  it("loses no more than its last record when it is cut anywhere", () => {
    const records = [opened, { kind: "received", atUs: 5, bytes: Uint8Array.of(1, 2, 3) } as const];
    const whole = encoded(records);
    const first = encoded([opened]).length;
    for (let length = RECORDING_MAGIC.length; length < whole.length; length += 1) {
      const { records: read, wholeBytes } = readRecording(whole.subarray(0, length));
      expect(read.length).toBe(length >= first ? 1 : 0);
      expect(wholeBytes).toBe(length >= first ? first : RECORDING_MAGIC.length);
    }
  });

  it.each([Buffer.from("nothing of the kind"), Buffer.concat([RECORDING_MAGIC, Uint8Array.of(99)])])(
    "refuses %s",
    (damaged) => {
      expect(() => readRecording(damaged)).toThrowError(
        expect.objectContaining({ code: "PORT_RECORDING_INVALID" }),
      );
    },
  );

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          readRecording(Buffer.concat([RECORDING_MAGIC, noise]));
        } catch (error) {
          expect(error).toMatchObject({ code: "PORT_RECORDING_INVALID" });
        }
      }),
    );
  });
});

describe("RecordFile", () => {
  it("goes on after a crash: what was cut off is removed, what follows is another opening", () => {
    const time = new VirtualTime();
    const first = new RecordFile(file, time.lane(0));
    first.add(opened);
    first.add({ kind: "received", atUs: 9, bytes: Buffer.from("boot") });
    time.advance(100_000);
    appendFileSync(file, Uint8Array.of(1, 5, 200));
    const second = new RecordFile(file, time.lane(0));
    second.add({ ...opened, atUs: 70 });
    second.close();
    second.close();
    expect(readRecording(readFileSync(file)).records.map(({ kind, atUs }) => [kind, atUs])).toEqual([
      ["opened", 0],
      ["received", 9],
      ["opened", 0],
    ]);
    truncateSync(file, 3);
    new RecordFile(file, time.lane(0)).close();
    expect(readRecording(readFileSync(file)).records).toEqual([]);
  });

  it("writes into no file of another kind, and no folder that is not there", () => {
    const clock = new VirtualTime().lane(0);
    writeFileSync(file, "my own notes");
    expect(() => new RecordFile(file, clock)).toThrowError(
      expect.objectContaining({ code: "PORT_RECORDING_INVALID" }),
    );
    expect(readFileSync(file, "utf8")).toBe("my own notes");
    expect(() => new RecordFile(join(folder, "no", "where"), clock)).toThrowError(
      expect.objectContaining({ code: "PORT_RECORDING_UNWRITABLE" }),
    );
  });
});

describe("replayPorts", () => {
  it("does again what was recorded at a port, to the microsecond", async () => {
    const time = new VirtualTime();
    const clock = time.lane(0);
    const board = new MemoryBoard(clock);
    const sink = new RecordFile(file, clock);
    const live = new Listener();
    const port = await recordPorts(board, clock, () => sink).open({
      address: ADDRESS,
      baud: 115_200,
      receiver: live,
    });
    time.advance(1_000);
    board.port?.send(Buffer.from("boot "));
    time.advance(2_500);
    port.write(Buffer.from("hello"));
    await port.setLines({ dtr: false, rts: true });
    await port.setBaud(921_600);
    board.port?.send(Buffer.from("ready"));
    time.advance(500);
    board.port?.tear();
    sink.close();

    const { records } = readRecording(readFileSync(file));
    expect(records.map(({ kind }) => kind)).toEqual([
      "opened",
      "received",
      "written",
      "lines",
      "baud",
      "received",
      "closed",
    ]);
    const again = new VirtualTime();
    const replayed = new Listener();
    const notes: PortRecord[] = [];
    const opener = replayPorts({ records, clock: again.lane(0), note: (each) => void notes.push(each) });
    const copy = await opener.open({ address: ADDRESS, baud: 115_200, receiver: replayed });
    copy.write(Buffer.from("other words"));
    again.advance(10_000);
    expect(replayed.chunks.map(String)).toEqual(live.chunks.map(String));
    expect(replayed.times).toEqual(live.times);
    expect(replayed.end).toBe("disconnected");
    expect(notes.map(({ kind, atUs }) => [kind, atUs])).toEqual([
      ["written", 0],
      ["closed", 4_000],
    ]);
    const beyond = new Listener();
    await opener.open({ address: ADDRESS, baud: 115_200, receiver: beyond });
    again.advance(1);
    expect(beyond.end).toBe("disconnected");
  });
});
