import type { VirtualBoardKind } from "fleetrig/hil";
import { onTestFinished } from "vitest";
import { lacksCompiler, lacksEmulator } from "../../rigs.js";
import { BenchRig } from "./bench-rig.js";

/** Kinds whose tools are missing are skipped, unless CI insists on them. */
export const lacks: Readonly<Record<VirtualBoardKind, boolean>> = {
  native: lacksCompiler,
  rv32: lacksEmulator,
  micropython: false,
};

/** A bench for one test, which ends it. */
export const HostRig = {
  async open(): Promise<BenchRig> {
    const rig = await BenchRig.open();
    onTestFinished(() => rig.close());
    return rig;
  },
};
