import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comPortMessage, escapeIac, TELNET, telnetCommand, TelnetReader } from "../../../hil/port/telnet.js";

function collect() {
  const data: number[] = [];
  const commands: (readonly number[])[] = [];
  const subs: (readonly number[])[] = [];
  const reader = new TelnetReader({
    data: (bytes) => void data.push(...bytes),
    command: (...command) => void commands.push(command),
    subnegotiation: (bytes) => void subs.push([...bytes]),
  });
  return { reader, data, commands, subs };
}

describe("TelnetReader", () => {
  it("tells data, commands and subnegotiations apart, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (before, value, after, step) => {
          const { reader, data, commands, subs } = collect();
          const stream = Buffer.concat([
            escapeIac(before),
            telnetCommand(TELNET.will, 44),
            comPortMessage(7, value),
            escapeIac(after),
          ]);
          for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
          expect(data).toEqual([...before, ...after]);
          expect(commands).toEqual([[TELNET.will, 44]]);
          expect(subs).toEqual([[44, 7, ...value]]);
        },
      ),
    );
  });

  it("survives any bytes, and keeps no more than one subnegotiation", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (chunks) => {
        const { reader, subs } = collect();
        for (const chunk of chunks) reader.push(chunk);
        expect(subs.every((sub) => sub.length <= 256)).toBe(true);
      }),
    );
  });

  it("throws a subnegotiation without end away, and counts it", () => {
    const { reader, data, subs } = collect();
    reader.push(Uint8Array.of(TELNET.iac, TELNET.sb, ...new Uint8Array(5_000), TELNET.iac, TELNET.se, 65));
    expect(subs).toEqual([]);
    expect(data).toEqual([65]);
    expect(reader.oversized).toBe(1);
  });
});
