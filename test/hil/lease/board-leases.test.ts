import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BoardLeases } from "fleetrig/hil";
import { hostProcess, RealTime, VirtualTime } from "fleetrig/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../port/terminal.js";

/** Of each of four processes. */
const ROUNDS = Number(process.env["FLEETRIG_LEASE_ROUNDS"] ?? 15);
const KEY = "mac:7cdfa1001122";
const PROGRAM = resolve("dist/test/hil/lease/lease-process.js");

let root = "";
let folder = "";
let log = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fleetrig-leases-"));
  folder = join(root, "leases");
  log = join(root, "log");
  writeFileSync(log, "");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

function contend(rounds: number, holdMs = 1): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, folder, log, String(rounds), String(holdMs)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.push(child);
  return child;
}

const events = (): string[] =>
  readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "");
const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", resolve));
const wish = (patienceUs: number, purpose = "test") => ({ key: KEY, purpose, patienceUs });

describe("BoardLeases", () => {
  const time = new RealTime();
  const leases = () => new BoardLeases({ folder, clock: time.lane(0), host: "here" });

  it("gives a board to one at a time, and names the holder to the others", async () => {
    const lease = await leases().acquire(wish(0, "smoke.yaml"));
    await expect(leases().acquire(wish(0))).rejects.toMatchObject({
      code: "BOARD_LEASED",
      message: expect.stringContaining("Board 7c:df:a1:00:11:22 is still in use"),
      hint: expect.stringContaining(`smoke.yaml has it (process ${process.pid})`),
    });
    lease.release();
    lease.release();
    await expect(leases().acquire(wish(0))).resolves.toBeDefined();
  });

  it("keeps boards apart, whatever their keys are made of", async () => {
    for (const key of ["mac:1", "usb:1-1.4:0.0", "address:rfc2217://bench:2217", "address:/dev/../x"]) {
      await leases().acquire({ ...wish(0), key });
    }
    expect(
      leases()
        .holders()
        .map(({ key }) => key)
        .sort(),
    ).toEqual(["address:/dev/../x", "address:rfc2217://bench:2217", "mac:1", "usb:1-1.4:0.0"]);
    expect(readdirSync(root).sort()).toEqual(["leases", "log"]);
  });

  it("serves those who wait in the order in which they came", async () => {
    const virtual = new VirtualTime();
    const line = new BoardLeases({ folder, clock: virtual.lane(0), host: "here" });
    const order: number[] = [];
    const first = await line.acquire(wish(0));
    const waiting = [1, 2, 3].map(async (place) => {
      const lease = await line.acquire(wish(60_000_000));
      order.push(place);
      lease.release();
    });
    expect(line.holders()).toMatchObject([{ waiting: 3 }]);
    first.release();
    for (let step = 0; step < 20 && order.length < 3; step += 1) {
      virtual.advance(50_000);
      await Promise.resolve();
      await new Promise(setImmediate);
    }
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  it("gives a place in line up when patience ends", async () => {
    const lease = await leases().acquire(wish(0));
    await expect(leases().acquire(wish(120_000))).rejects.toMatchObject({ code: "BOARD_LEASED" });
    expect(leases().holders()).toMatchObject([{ waiting: 0 }]);
    lease.release();
  });

  it("takes a board over from a process that was killed", async () => {
    const holder = contend(0);
    await until(() => events().length === 1);
    await expect(leases().acquire(wish(0))).rejects.toMatchObject({ code: "BOARD_LEASED" });
    holder.kill("SIGKILL");
    await ended(holder);
    await expect(leases().acquire(wish(5_000_000))).resolves.toBeDefined();
  });

  it("does not take a process for the one that had its number before", async () => {
    const own = join(folder, encodeURIComponent(KEY));
    mkdirSync(own, { recursive: true });
    const reused = {
      schema: 1,
      key: KEY,
      ...hostProcess(),
      started: "1",
      host: "here",
      purpose: "old",
      sinceMs: 0,
    };
    writeFileSync(join(own, "0000000041.json"), JSON.stringify(reused));
    writeFileSync(join(own, "draft-1-0"), JSON.stringify(reused));
    await expect(leases().acquire(wish(0))).resolves.toBeDefined();
    expect(readdirSync(own)).toEqual(["0000000042.json"]);
  });

  it("believes what other machines say, since nothing is known of their processes", async () => {
    await new BoardLeases({ folder, clock: time.lane(0), host: "elsewhere" }).acquire(wish(0));
    await expect(leases().acquire(wish(0))).rejects.toMatchObject({
      hint: expect.stringContaining("on elsewhere"),
    });
  });

  it("never gives a board to two of many processes, some of which are killed while they have it", async () => {
    const steady = Array.from({ length: 4 }, () => contend(ROUNDS));
    const doomed = Array.from({ length: 3 }, () => contend(0));
    const killer = setInterval(() => {
      const pid = Number(events().at(-1)?.replace("+", ""));
      for (const child of doomed) if (child.pid === pid) child.kill("SIGKILL");
    }, 20);
    await Promise.all([...steady, ...doomed].map(ended)).finally(() => clearInterval(killer));
    const killed = new Set(doomed.map(({ pid }) => String(pid)));
    let holder: string | undefined;
    for (const event of events()) {
      const pid = event.slice(1);
      if (event.startsWith("+")) {
        expect(holder === undefined || killed.has(holder)).toBe(true);
        holder = pid;
      } else {
        expect(holder).toBe(pid);
        holder = undefined;
      }
    }
    expect(events().filter((event) => event.startsWith("+"))).toHaveLength(4 * ROUNDS + 3);
  }, 180_000);
});
