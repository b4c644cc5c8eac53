import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readVirtualBoards } from "fleetrig/hil";
import { describe, expect, it, onTestFinished } from "vitest";
import { lacksEmulator } from "../../rigs.js";
import { echoImage, echoScript, isAlive, temporaryFolder, until } from "./rig.js";

const OWNER = fileURLToPath(
  new URL("./board-owner.js", import.meta.url).href
    .replace(/\/test\/hil\//, "/dist/test/hil/")
    .replace("/dist/dist/", "/dist/"),
);

interface Owned {
  readonly owner: ChildProcess;
  readonly keeper: number;
  readonly boards: readonly number[];
  readonly registryFolder: string;
}

/** A process that has made one board of each kind. */
async function startOwner(): Promise<Owned> {
  const folder = temporaryFolder();
  const kinds = lacksEmulator ? [] : [`rv32=${echoImage(folder)}`];
  const owner = spawn(process.execPath, [OWNER, folder, ...kinds, `micropython=${echoScript(folder)}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void owner.kill("SIGKILL"));
  let text = "";
  owner.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  await until(() => text.includes("\n"));
  const boards = JSON.parse(text) as number[];
  const keeper = parentOf(boards[0]!);
  expect([owner.pid, keeper, ...boards].every((pid) => isAlive(pid!))).toBe(true);
  return { owner, keeper, boards, registryFolder: join(folder, "boards") };
}

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")[1]);

describe("virtual boards", () => {
  it.each(["SIGKILL", "SIGTERM"] as const)("end with their process when it dies of %s", async (signal) => {
    const { owner, keeper, boards, registryFolder } = await startOwner();
    owner.kill(signal);
    await until(() => ![keeper, ...boards].some(isAlive), 5_000);
    expect(readVirtualBoards(registryFolder)).toEqual([]);
  });

  it("end when their process ends in order without stopping them", async () => {
    const { owner, keeper, boards } = await startOwner();
    owner.stdin!.end();
    await until(() => ![owner.pid!, keeper, ...boards].some(isAlive), 5_000);
  });

  it("end when their keeper is killed, frozen ones too", async () => {
    const { keeper, boards, registryFolder } = await startOwner();
    process.kill(boards.at(-1)!, "SIGSTOP");
    process.kill(keeper, "SIGKILL");
    await until(() => !boards.some(isAlive), 5_000);
    expect(readVirtualBoards(registryFolder)).toEqual([]);
  });

  it("end when their keeper and its process are killed at once", async () => {
    const { owner, keeper, boards } = await startOwner();
    execFileSync("kill", ["-9", `${owner.pid}`, `${keeper}`]);
    await until(() => ![owner.pid!, keeper, ...boards].some(isAlive), 5_000);
  });

  it("outlive an interrupt of the terminal, which is their process's to handle", async () => {
    const { keeper, boards } = await startOwner();
    process.kill(keeper, "SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([keeper, ...boards].every(isAlive)).toBe(true);
  });
});
