import {
  CHIP_NAMES,
  encodeSlip,
  MemoryFlash,
  SlipDecoder,
  VirtualChip,
  type VirtualChipOptions,
} from "fleetrig/hil";
import { Random, VirtualTime } from "fleetrig/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

function chipOf(options: Partial<VirtualChipOptions> = {}) {
  const time = new VirtualTime();
  const flash = new MemoryFlash(2 ** 20);
  let printed = "";
  const chip = new VirtualChip({
    chip: "esp32c3",
    mac: "7cdfa1001122",
    flash,
    clock: time.lane(0),
    send: (bytes) => (printed += Buffer.from(bytes).toString("latin1")),
    ...options,
  });
  chip.powerOn();
  /** Steps of the reset language: `D1`, `R0`, `U0,1` for both at once, `W100` in milliseconds. */
  const lines = { dtr: false, rts: false };
  const train = (steps: string): void => {
    for (const step of steps.split("|")) {
      const [first = 0, second = 0] = step.slice(1).split(",").map(Number);
      if (step[0] === "W") time.advance(first * 1000);
      if (step[0] === "D" || step[0] === "U") lines.dtr = first === 1;
      if (step[0] === "R") lines.rts = first === 1;
      if (step[0] === "U") lines.rts = second === 1;
      if (step[0] !== "W") chip.setLines({ ...lines });
    }
  };
  return { time, flash, chip, train, printed: () => printed };
}

const CLASSIC = "U0,1|W100|U1,0|W50|U0,0|W20";

describe("a virtual chip's reset", () => {
  it.each<[string, Partial<VirtualChipOptions>, string, "download" | "no-image"]>([
    ["the classic train", {}, CLASSIC, "download"],
    ["the classic train in single steps", {}, "D0|R1|W100|D1|R0|W50|D0|W20", "download"],
    ["the tight train", {}, "U0,0|U1,1|U0,1|W100|U1,0|W50|U0,0|D0|W20", "download"],
    ["a large capacitor and too short a wait", { enableRiseUs: 120_000 }, `${CLASSIC}|W200`, "no-image"],
    [
      "a large capacitor and a long wait",
      { enableRiseUs: 120_000 },
      "U0,1|W100|U1,0|W550|U0,0|W20",
      "download",
    ],
    ["a plain pulse", {}, "R1|W100|R0|W20", "no-image"],
    ["straight wires and both lines", { wiring: "straight" }, "U1,1|W100|R0|W50|D0|W20", "download"],
    [
      "its own USB, asked for download",
      { wiring: "usb" },
      "U0,0|W100|D1|W100|R1|D0|R1|W100|U0,0|W20",
      "download",
    ],
    ["its own USB, asked for nothing", { wiring: "usb" }, "R1|W200|R0|W20", "no-image"],
  ])("with %s", (_, options, train, state) => {
    const rig = chipOf(options);
    rig.train(train);
    expect(rig.chip.state).toBe(state);
  });

  it("is held in reset by straight wires as long as RTS is asserted", () => {
    const rig = chipOf({ wiring: "straight" });
    rig.train("U1,1|W5000");
    expect(rig.chip.state).toBe("held");
  });

  it.each(CHIP_NAMES)("an %s prints what its ROM prints, in both modes", (chip) => {
    const rig = chipOf({ chip });
    rig.train(CLASSIC);
    const starts = [
      ...rig.printed().matchAll(/rst:(0x[0-9a-f]+) \(([A-Z0-9_]+)\),boot:(0x[0-9a-f]+) \(([^\r\n]*)\)/g),
    ];
    expect(starts.map(([, , reset, , mode]) => [reset?.slice(0, 7), mode?.slice(0, 8)])).toEqual([
      ["POWERON", "SPI_FAST"],
      ["POWERON", "DOWNLOAD"],
    ]);
    expect(rig.printed()).toContain("invalid header: 0xffffffff");
    expect(rig.printed()).toMatch(/waiting for download\r\n$/);
  });

  it("restarts over and over without an image", () => {
    const rig = chipOf();
    rig.time.advance(1_600_000);
    expect(rig.printed().match(/TG0WDT_SYS_RST/g)).toHaveLength(3);
  });
});

describe("SLIP", () => {
  it("gives back what was encoded, however it is cut, whatever noise is around it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        (payloads, cut) => {
          const frames: Uint8Array[] = [];
          const slip = new SlipDecoder((frame) => frames.push(frame));
          const wire = Buffer.concat([Buffer.from("rst:0x1\r\n"), ...payloads.map(encodeSlip)]);
          for (let at = 0; at < wire.length; at += cut) slip.push(wire.subarray(at, at + cut));
          expect(frames.map((frame) => [...frame])).toEqual(payloads.map((payload) => [...payload]));
        },
      ),
    );
  });

  it("drops a frame that is too long or badly escaped, and takes the next", () => {
    const frames: Uint8Array[] = [];
    const slip = new SlipDecoder((frame) => frames.push(frame));
    slip.push(encodeSlip(new Uint8Array(100_000)));
    slip.push(Uint8Array.of(0xc0, 0xdb, 0x00, 0xc0));
    slip.push(encodeSlip(Uint8Array.of(1, 2)));
    expect(slip.broken).toBe(2);
    expect(frames.map((frame) => [...frame])).toEqual([[1, 2]]);
  });
});

describe("the virtual ROM under fuzz", () => {
  const commands = Number(process.env["FLEETRIG_FUZZ_COMMANDS"] ?? 20_000);

  it.each(["rom", "stub"] as const)("survives any commands as %s and still answers SYNC", (kind) => {
    const random = Random.seeded(`rom-fuzz/${kind}`);
    let answers = 0;
    const slip = new SlipDecoder(() => (answers += 1));
    const rig = chipOf({ send: (bytes) => slip.push(bytes) });
    const codes = [
      2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x0b, 0x0d, 0x10, 0x11, 0x12, 0x13, 0x14, 0xd0, 0xd1, 0xd2, 0xff,
    ];
    rig.train(CLASSIC);
    if (kind === "stub") for (const body of STUB) rig.chip.receive(encodeSlip(body));
    rig.time.advance(1_000);
    expect(rig.chip.hasStub).toBe(kind === "stub");
    for (let i = 0; i < commands; i += 1) {
      const body = Uint8Array.from({ length: random.below(60) }, () =>
        random.chance(0.5) ? random.below(8) : random.below(256),
      );
      const declared = random.chance(0.9) ? body.length : random.below(65_536);
      const frame = Uint8Array.of(
        0,
        random.pick(codes),
        declared & 0xff,
        declared >>> 8,
        0,
        0,
        0,
        0,
        ...body,
      );
      const wire = encodeSlip(frame);
      if (random.chance(0.1)) wire[random.below(wire.length)]! ^= 1 << random.below(8);
      rig.chip.receive(random.chance(0.05) ? wire.subarray(0, random.below(wire.length)) : wire);
      if (i % 64 === 0) rig.time.advance(10_000);
    }
    rig.train(CLASSIC);
    answers = 0;
    rig.chip.receive(encodeSlip(SYNC));
    rig.time.advance(1_000);
    expect(answers).toBe(8);
  });
});

const SYNC = Uint8Array.of(0, 8, 36, 0, 0, 0, 0, 0, 7, 7, 0x12, 0x20, ...new Uint8Array(32).fill(0x55));
/** One byte of stub, and its start. */
const STUB = [
  Uint8Array.of(0, 7, 17, 0, 0xef ^ 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  Uint8Array.of(0, 6, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
];
