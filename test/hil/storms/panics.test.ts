import { describe, expect, it } from "vitest";
import { HostRig, lacks } from "../bench/host-rig.js";

/** What a board is told to die of, and what the run hears. */
const PANICS = [
  { crash: "load-fault", kind: "load-access-fault" },
  { crash: "illegal-instruction", kind: "illegal-instruction" },
  { crash: "abort", kind: "abort" },
  { crash: "stack-overflow", kind: "stack-overflow" },
  { crash: "hang", kind: "task-watchdog" },
  { crash: "half-frame", kind: "load-access-fault" },
  { crash: "silent", kind: "silent-reboot" },
] as const;
const TELEMETRY_EVERY_US = 20_000;

describe.skipIf(lacks.rv32)("An rv32 board that panics in the middle of its work", () => {
  it("is heard, whatever it dies of, and goes on where it was", { timeout: 120_000 }, async ({
    annotate,
  }) => {
    const rig = await HostRig.open();
    const [stream] = rig.usualTelemetry;
    await rig.claim(["rv32"], { telemetry: [{ ...stream!, everyUs: TELEMETRY_EVERY_US }] });
    rig.start();
    const member = rig.members[0]!;
    for (const [index, { crash }] of PANICS.entries()) {
      await rig.until("online", () => member.isOnline);
      const { size } = rig.acked;
      await rig.until("frames in flight", () => rig.acked.size > size + 3);
      member.board!.crash(crash);
      await rig.until(`panic of ${crash}`, () => rig.find("board.panicked").length > index);
      await rig.until(`end of ${crash}`, () => rig.find("board.recovered").length > index);
    }
    await rig.until("online", () => member.isOnline);
    const sent = [...rig.sent];
    await rig.until("what was sent has arrived", () => sent.every((key) => rig.arrived.has(key)));
    const panics = rig.find("board.panicked");
    await annotate(panics.map(({ kind, noticedUs }) => `${kind} ${noticedUs / 1000} ms`).join(", "));
    expect(panics.map(({ kind }) => kind)).toEqual(PANICS.map(({ kind }) => kind));
    expect(panics.every(({ isExpected }) => isExpected)).toBe(true);
    expect(rig.lost).toEqual([]);
    expect([...rig.reused]).toEqual([]);
    expect(rig.failures).toEqual([]);
  });
});
