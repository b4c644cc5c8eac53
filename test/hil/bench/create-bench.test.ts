import { createRandomSource, FleetrigError, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import type { Bench, BoardClaim, BoardRequest, BoardSelector } from "../../../hil/bench/bench.js";
import { parseBenchFile } from "../../../hil/bench/bench-file.js";
import type { LeaseDesk } from "../../../hil/bench/bench-leases.js";
import { type BenchOptions, createBench } from "../../../hil/bench/create-bench.js";
import { pass, SECOND } from "../board/board-rig.js";
import { LoopbackBoard } from "../fixtures/loopback-board.js";
import { MemoryPorts } from "../fixtures/memory-ports.js";

const A = "7cdfa1000001";
const B = "7cdfa1000002";
const C = "7cdfa1000003";

class BenchRig {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly ports = new MemoryPorts(this.time.lane(50));
  private lanes = 100;

  plug(mac: string, path: string, chip = "esp32c3"): LoopbackBoard {
    const board = this.board(mac, chip);
    board.power(true);
    this.ports.plug(board, path);
    return board;
  }

  board(mac: string, chip = "esp32c3"): LoopbackBoard {
    this.lanes += 1;
    return new LoopbackBoard({ clock: this.time.lane(this.lanes), mac, chip });
  }

  bench(options: Partial<BenchOptions> = {}): Bench {
    return createBench({
      time: this.time,
      random: createRandomSource(3),
      events: { emit: (event) => this.events.push(event) },
      source: this.ports,
      opener: this.ports,
      ...options,
    });
  }

  async claim(bench: Bench, ...selectors: BoardSelector[]): Promise<readonly BoardClaim[]> {
    const requests = selectors.map(
      (select, index): BoardRequest => ({ thing: `t${index}`, select, path: "bridge", profile: "fleetrig" }),
    );
    return this.settle(bench.claim(requests));
  }

  /** Where boards were seen, and that they went. */
  get places(): readonly string[] {
    return this.events.flatMap((event) => {
      if (event.type === "board.attached") return [`${event.thing} ${event.path} ${event.mac}`];
      return event.type === "board.detached" ? [`${event.thing} gone`] : [];
    });
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false };
    const settled = promise.finally(() => {
      state.isOver = true;
    });
    for (let seconds = 0; !state.isOver && seconds < 120; seconds += 1) await pass(this.time, SECOND);
    return settled;
  }
}

const macsOf = (claims: readonly BoardClaim[]): (string | undefined)[] =>
  claims.map(({ board }) => board?.mac);
const reasonOf = (claim: BoardClaim | undefined): string =>
  claim === undefined || claim.board !== undefined ? "" : claim.reason;

describe("createBench", () => {
  it("gives each request a board that fits, the exact ones first", async () => {
    const rig = new BenchRig();
    rig.plug(A, "/dev/ttyUSB0");
    rig.plug(B, "/dev/ttyUSB1", "esp32s3");
    rig.plug(C, "/dev/ttyUSB2");
    const bench = rig.bench();
    const claims = await rig.claim(bench, { chip: "esp32c3" }, { mac: A }, { port: "/dev/ttyUSB*" });
    expect(macsOf(claims)).toEqual([C, A, B]);
    expect(claims[0]?.board).toMatchObject({
      thing: "t0",
      chip: "esp32c3",
      port: "/dev/ttyUSB2",
      path: "bridge",
    });
    await rig.settle(bench.close());
  });

  it("says why a request gets none", async () => {
    const rig = new BenchRig();
    const empty = await rig.claim(rig.bench(), { chip: "esp32c3" });
    expect(reasonOf(empty[0])).toBe("no board is attached");
    rig.plug(A, "/dev/ttyUSB0");
    const mute = rig.plug(B, "/dev/ttyUSB1");
    mute.isMute = true;
    const claims = await rig.claim(rig.bench(), { chip: "esp32s3" }, { chip: "esp32c3" });
    expect(claims[1]?.board?.mac).toBe(A);
    expect(reasonOf(claims[0])).toContain("no board with chip esp32s3 is free: ");
    expect(reasonOf(claims[0])).toContain("/dev/ttyUSB1: ");
    expect(reasonOf(claims[0])).toContain("no hello within");
    expect(reasonOf(claims[0])).toContain("/dev/ttyUSB0 is t1");
  });

  it("knows names and tags from the bench file, by the board's own MAC", async () => {
    const rig = new BenchRig();
    rig.plug(A, "/dev/ttyUSB0");
    rig.plug(B, "/dev/ttyUSB1");
    const file = parseBenchFile(
      `boards:\n- { mac: "7c:df:a1:00:00:02", name: oven, tags: [hot, nord] }\n- { mac: ${A}, tags: [nord] }\n`,
      "bench.yaml",
    );
    const bench = rig.bench({ file });
    expect(macsOf(await rig.claim(bench, { tags: ["nord"] }, { tags: ["hot", "nord"] }))).toEqual([A, B]);
    await rig.settle(bench.close());
    expect(macsOf(await rig.claim(rig.bench({ file }), { tags: ["oven"] }))).toEqual([B]);
  });

  it("resets no board to ask who it is", async () => {
    const rig = new BenchRig();
    const boards = [rig.plug(A, "/dev/ttyUSB0"), rig.plug(B, "/dev/ttyUSB1")];
    await pass(rig.time, SECOND);
    const reset = { reset: async () => expect.unreachable("nobody may reset it") };
    await rig.claim(rig.bench({ handsOf: () => reset }), { mac: C });
    expect(boards.map(({ boots }) => boots)).toEqual([1, 1]);
  });

  it("takes no board that another process has, and gives its own back", async () => {
    const rig = new BenchRig();
    rig.plug(A, "/dev/ttyUSB0");
    const taken = new Set<string>();
    const leases: LeaseDesk = {
      acquire: async ({ key }) => {
        if (taken.has(key)) throw new FleetrigError("BOARD_LEASED", `Board ${key} is still in use.`);
        taken.add(key);
        return { release: () => taken.delete(key) };
      },
    };
    const first = rig.bench({ leases });
    expect(macsOf(await rig.claim(first, { mac: A }))).toEqual([A]);
    expect(taken).toContain(`mac:${A}`);
    const second = await rig.claim(rig.bench({ leases }), { port: "/dev/ttyUSB0" });
    expect(reasonOf(second[0])).toContain("is still in use");
    await rig.settle(first.close());
    expect(taken.size).toBe(0);
  });

  it("keeps two boards apart whose adapters look the same, when they swap ports", async () => {
    const rig = new BenchRig();
    const a = rig.plug(A, "/dev/ttyUSB0");
    const b = rig.plug(B, "/dev/ttyUSB1");
    const bench = rig.bench();
    expect(macsOf(await rig.claim(bench, { mac: A }, { mac: B }))).toEqual([A, B]);
    rig.ports.unplug("/dev/ttyUSB0");
    rig.ports.unplug("/dev/ttyUSB1");
    await pass(rig.time, SECOND);
    rig.ports.plug(a, "/dev/ttyUSB1");
    rig.ports.plug(b, "/dev/ttyUSB0");
    await pass(rig.time, 5 * SECOND);
    const attached = rig.places.filter((place) => !place.endsWith("gone"));
    expect(attached.slice(0, 2).sort()).toEqual([`t0 /dev/ttyUSB0 ${A}`, `t1 /dev/ttyUSB1 ${B}`]);
    expect(attached.slice(2).sort()).toEqual([`t0 /dev/ttyUSB1 ${A}`, `t1 /dev/ttyUSB0 ${B}`]);
  });

  it("does not take a board that was there all along for the one that left, though they look the same", async () => {
    const rig = new BenchRig();
    const a = rig.plug(A, "/dev/ttyUSB0");
    rig.plug(B, "/dev/ttyUSB1").isMute = true;
    const reset = { reset: async () => expect.unreachable("nobody may reset it") };
    await rig.claim(rig.bench({ handsOf: () => reset }), { mac: A });
    rig.ports.unplug("/dev/ttyUSB0");
    const { opened } = rig.ports;
    await pass(rig.time, 20 * SECOND);
    expect(rig.ports.opened).toBe(opened);
    rig.ports.plug(a, "/dev/ttyUSB10");
    await pass(rig.time, SECOND);
    expect(rig.places).toEqual([`t0 /dev/ttyUSB0 ${A}`, "t0 gone", `t0 /dev/ttyUSB10 ${A}`]);
  });

  it("looks further where a board that came back does not speak, and resets none of them", async () => {
    const rig = new BenchRig();
    const a = rig.plug(A, "/dev/ttyUSB0");
    const mute = rig.plug(B, "/dev/ttyUSB1");
    mute.isMute = true;
    const reset = { reset: async () => expect.unreachable("nobody may reset it") };
    await rig.claim(rig.bench({ handsOf: () => reset }), { mac: A });
    for (const path of ["/dev/ttyUSB0", "/dev/ttyUSB1"]) rig.ports.unplug(path);
    await pass(rig.time, SECOND);
    rig.ports.plug(mute, "/dev/ttyUSB0");
    await pass(rig.time, SECOND / 2);
    rig.ports.plug(a, "/dev/ttyUSB10");
    await pass(rig.time, 2 * SECOND);
    expect(rig.places).toEqual([`t0 /dev/ttyUSB0 ${A}`, "t0 gone", `t0 /dev/ttyUSB10 ${A}`]);
  });

  it("starts boards for virtual selectors and ends them with the bench", async () => {
    const rig = new BenchRig();
    const ended: string[] = [];
    const bench = rig.bench({
      startVirtual: async (kind, thing) => {
        if (kind === "native") throw new FleetrigError("BOARD_PROGRAM_MISSING", "There is no such program.");
        rig.plug(C, "/dev/pts/7", "rv32-virt");
        return { path: "/dev/pts/7", mac: C, hands: {}, stop: async () => void ended.push(thing) };
      },
    });
    const claims = await rig.claim(bench, { virtual: "rv32" }, { virtual: "native" });
    expect(claims[0]?.board).toMatchObject({ mac: C, chip: "rv32-virt" });
    expect(reasonOf(claims[1])).toBe("There is no such program.");
    await rig.settle(bench.close());
    expect(ended).toEqual(["t0"]);
  });

  it("refuses a board whose firmware cannot take the path", async () => {
    const rig = new BenchRig();
    rig.plug(A, "/dev/ttyUSB0");
    const claims = await rig.settle(
      rig.bench().claim([{ thing: "t", select: { mac: A }, path: "direct", profile: "fleetrig" }]),
    );
    expect(reasonOf(claims[0])).toContain("cannot take the path direct");
  });
});
