import { existsSync } from "node:fs";
import { readVirtualBoards } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { dirname } from "node:path";
import { connect } from "node:net";
import { lacksEmulator } from "../../rigs.js";
import { echoImage, echoScript, isAlive, startBoard, temporaryFolder, Terminal, until } from "./rig.js";

const KINDS = [
  { kind: "rv32" as const, firmware: echoImage, boot: /boot (.)\n/, echo: "x", isMissing: lacksEmulator },
  {
    kind: "micropython" as const,
    firmware: echoScript,
    boot: /boot (\d)\n/,
    echo: "x\n",
    isMissing: false,
  },
];

describe.each(KINDS)("a virtual board of kind $kind", ({ kind, firmware, boot, echo, isMissing }) => {
  const start = (options = {}) => startBoard({ kind, firmware: firmware(temporaryFolder()), ...options });

  it.skipIf(isMissing)("is a tty that any serial tool can open and talk to", async () => {
    const board = await start();
    const terminal = await Terminal.open(board.path!);
    await board.reset();
    await terminal.read(boot);
    terminal.write(echo);
    await terminal.read("x");
  });

  it.skipIf(isMissing)("keeps its tty over resets and power cuts", async () => {
    const board = await start();
    const path = board.path!;
    const terminal = await Terminal.open(path);
    await board.reset();
    await terminal.read(boot);
    const pid = board.pid!;
    await board.power(false);
    expect(board.pid).toBeUndefined();
    expect(isAlive(pid)).toBe(false);
    terminal.write(echo);
    await board.power(true);
    await terminal.read(boot);
    expect([board.path, terminal.isGone]).toEqual([path, false]);
  });

  it.skipIf(isMissing)("stands still while it is frozen, and hears nothing", async () => {
    const board = await start();
    const terminal = await Terminal.open(board.path!);
    await board.reset();
    await terminal.read(boot);
    terminal.write(echo);
    await terminal.read("x");
    await board.freeze(true);
    terminal.write(echo.replace("x", "lost"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await board.freeze(false);
    terminal.write(echo.replace("x", "y"));
    expect(await terminal.read("y")).not.toContain("lost");
  });

  it.skipIf(isMissing)(
    "vanishes when unplugged and comes back under another name, still running",
    async () => {
      const board = await start();
      const path = board.path!;
      const terminal = await Terminal.open(path);
      await board.reset();
      await terminal.read(boot);
      const pid = board.pid;
      await board.unplug(true);
      await until(() => terminal.isGone && !existsSync(path));
      expect(board.path).toBeUndefined();
      await board.unplug(false, true);
      expect(board.path).not.toBe(path);
      expect(board.pid).toBe(pid);
      const again = await Terminal.open(board.path!);
      again.write(echo);
      await again.read("x");
    },
  );

  it.skipIf(isMissing)("takes its tty away at a reset when it has USB of its own", async () => {
    const board = await start({ usb: "native" });
    const terminal = await Terminal.open(board.path!);
    await board.reset();
    await until(() => terminal.isGone);
    await until(() => board.path !== undefined);
    const again = await Terminal.open(board.path!);
    again.write(echo);
    await again.read("x");
    await board.power(false);
    expect(board.path).toBeUndefined();
  });

  it.skipIf(isMissing)(
    "is entered in the registry, where another process finds its control socket",
    async () => {
      const board = await start();
      const terminal = await Terminal.open(board.path!);
      const [entry] = readVirtualBoards(dirname(board.control));
      expect(entry).toMatchObject({ kind, mac: board.mac, path: board.path, control: board.control });
      const socket = connect(board.control);
      const answers: string[] = [];
      socket.setEncoding("utf8").on("data", (text: string) => answers.push(text));
      socket.write('{"op":"reset"}\n');
      await terminal.read(boot);
      socket.write('{"op":"reset","mode":"download"}\n{"op":"sing"}\n');
      await until(() => answers.join("").split("\n").length === 4);
      // Only what stands for a chip has a ROM to download with.
      const download = kind === "rv32" ? '"ok":true' : '"unsupported"';
      expect(answers.join("")).toMatch(new RegExp(`^{"ok":true}\n.*${download}.*\n.*"unknown-op".*\n$`));
      socket.destroy();
      await board.stop();
      expect(readVirtualBoards(dirname(board.control))).toEqual([]);
      expect(existsSync(board.control)).toBe(false);
    },
  );
});
