import { referenceFirmware } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { FIRMWARE_BUILDS, lacksCompiler, lacksEmulator } from "../../rigs.js";
import { BridgedBoard } from "../micropython/bridged-board.js";
import { until } from "./rig.js";

const KINDS = [
  { kind: "rv32", encoding: "cobs", chip: "rv32-virt", isMissing: lacksEmulator },
  { kind: "native", encoding: "cobs", chip: "posix", isMissing: lacksCompiler },
  { kind: "micropython", encoding: "line", chip: "webassembly", isMissing: false },
] as const;

describe.each(KINDS)("a $kind board with the reference firmware", ({ kind, encoding, chip, isMissing }) => {
  const open = async () =>
    BridgedBoard.open({ kind, encoding, firmware: await referenceFirmware(kind, FIRMWARE_BUILDS) });

  it.skipIf(isMissing)("says hello as what it is, and answers", async () => {
    const { link, hellos, board } = await open();
    expect(hellos[0]).toMatchObject({ chip, mac: board.mac, boots: 1, reset: "POWERON" });
    expect(board.chip).toBe(chip);
    expect(await link.command("echo", { data: "x".repeat(300) })).toBe("x".repeat(300));
  });

  it.skipIf(isMissing)(
    "keeps what it has stored over power cuts, and is another run after each",
    async () => {
      const bridged = await open();
      await bridged.link.command("nvs", { key: "colour", value: "blue" });
      for (let cut = 1; cut <= 3; cut += 1) {
        await bridged.board.power(false);
        await bridged.board.power(true);
        await until(() => bridged.restarts === cut && bridged.link.isOpen);
      }
      expect(bridged.hellos.at(-1)).toMatchObject({ boots: 4, reset: "POWERON" });
      expect(new Set(bridged.hellos.map(({ bootId }) => bootId)).size).toBe(4);
      expect(await bridged.link.command("nvs", { key: "colour" })).toBe("blue");
    },
  );

  it.skipIf(isMissing)("restarts when EN is pulled, and when it wants to by itself", async () => {
    const bridged = await open();
    await bridged.board.reset();
    await until(() => bridged.restarts === 1 && bridged.link.isOpen);
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "POWERON" });
    await bridged.link.command("reboot", {});
    await until(() => bridged.restarts === 2 && bridged.link.isOpen);
    expect(bridged.hellos.at(-1)).toMatchObject({ reset: "SW_CPU_RESET", boots: 3 });
  });

  it.skipIf(isMissing)("goes on with its session after it was frozen", async () => {
    const bridged = await open();
    await bridged.board.freeze(true);
    const answer = bridged.link.command("echo", { data: "late" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await bridged.board.freeze(false);
    expect(await answer).toBe("late");
    expect(bridged.restarts).toBe(0);
  });

  it.skipIf(isMissing)(
    "goes on with its session after its cable was pulled and put into another port",
    async () => {
      const bridged = await open();
      await bridged.board.unplug(true);
      const answer = bridged.link.command("echo", { data: "late" });
      await bridged.board.unplug(false, true);
      await bridged.plugIn();
      expect(await answer).toBe("late");
      expect(bridged.restarts).toBe(0);
    },
  );
});
