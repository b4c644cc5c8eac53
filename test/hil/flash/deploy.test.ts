import { BoardFiles, deployFiles, parseTraceback, RawRepl } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { echoScript, startBoard, temporaryFolder } from "../virtual/rig.js";
import { openReplLine } from "./repl-rig.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function startPython() {
  const board = await startBoard({ kind: "micropython", firmware: echoScript(temporaryFolder()) });
  return await openReplLine(board.path!);
}

describe("the raw REPL of a MicroPython board", () => {
  it("runs code while a script waits for input, and gives back what it printed", async () => {
    const { line, clock } = await startPython();
    const repl = await RawRepl.enter(line, clock);
    expect(await repl.run("print(6*7)")).toBe("42\n");
    const long = `x=0\n${"x+=1\n".repeat(400)}print(x)`;
    expect(await repl.run(long)).toBe("400\n");
  });

  it("turns a traceback into an error with file and line", async () => {
    const { line, clock } = await startPython();
    const repl = await RawRepl.enter(line, clock);
    const failing = repl.run("def f():\n  return 1/0\n\nf()", { name: "probe.py" });
    await expect(failing).rejects.toMatchObject({
      code: "BOARD_TRACEBACK",
      context: { type: "ZeroDivisionError", file: "probe.py", line: 2 },
    });
    expect(await repl.run("print('still here')")).toBe("still here\n");
  });

  it("deploys files into folders, leaves what is current, and starts main.py", async () => {
    const { line, clock, text } = await startPython();
    const files = [
      { path: "lib/greeting.py", bytes: bytes("def greet():\n    print('deployed', 1 + 1)\n") },
      { path: "data.bin", bytes: Uint8Array.from({ length: 700 }, (_, at) => at & 0xff) },
      { path: "main.py", bytes: bytes("from greeting import greet\ngreet()\n") },
    ];
    expect(await deployFiles({ line, clock, files })).toEqual({
      written: ["lib/greeting.py", "data.bin", "main.py"],
      current: [],
    });
    await expect.poll(text, { timeout: 5_000 }).toContain("deployed 2");
    expect((await deployFiles({ line, clock, files, starts: false })).current).toHaveLength(3);
    const repl = await RawRepl.enter(line, clock);
    const board = new BoardFiles(repl);
    expect(await board.list("lib")).toEqual(expect.arrayContaining(["greeting.py"]));
    await board.remove("data.bin");
    await expect(repl.run("open('data.bin')")).rejects.toMatchObject({ context: { type: "OSError" } });
  }, 30_000);

  it.each(["../x.py", "/main.py", "a'b.py", "", "a//b", "x".repeat(70)])(
    "refuses %j as a name",
    async (path) => {
      const files = new BoardFiles(undefined as never);
      await expect(files.put({ path, bytes: bytes("") })).rejects.toMatchObject({
        code: "BOARD_FILE_INVALID",
      });
    },
  );
});

describe("parseTraceback", () => {
  it.each([
    [
      'noise\r\nTraceback (most recent call last):\r\n  File "main.py", line 12, in <module>\r\n  File "lib/a.py", line 3, in f\r\nOSError: [Errno 2] ENOENT\r\n>>> ',
      { type: "OSError", message: "[Errno 2] ENOENT", at: ["main.py:12", "lib/a.py:3"] },
    ],
    [
      'Traceback (most recent call last):\n  File "<stdin>", line 1\nSyntaxError: invalid syntax\n',
      { type: "SyntaxError", message: "invalid syntax", at: ["<stdin>:1"] },
    ],
    ["Traceback (most recent call last):\nMemoryError:\n", undefined],
    ['Traceback (most recent call last):\n  File "main.py", line 1, in x\n', undefined],
    ["KeyboardInterrupt: \n", undefined],
  ])("reads %j", (text, expected) => {
    const found = parseTraceback(text);
    const flat = found && {
      type: found.type,
      message: found.message,
      at: found.frames.map(({ file, line }) => `${file}:${line}`),
    };
    expect(flat).toEqual(expected);
  });
});
