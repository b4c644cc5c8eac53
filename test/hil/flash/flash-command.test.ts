import { tmpdir } from "node:os";
import { flashCommandWords, runFlashCommand } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";

const values = { port: "/dev/tty USB0; rm -rf", mac: "7cdfa1001122" };

describe("a flash command of the user's", () => {
  it.each([
    ["west flash --esp-device {port}", ["west", "flash", "--esp-device", values.port]],
    ["tool '--at={port}' \"two words\" ''", ["tool", `--at=${values.port}`, "two words", ""]],
    ["  tool\t{mac}-{mac} ", ["tool", "7cdfa1001122-7cdfa1001122"]],
    ["tool {json:1}", ["tool", "{json:1}"]],
  ])("is split into words, each value being one: %s", (template, words) => {
    expect(flashCommandWords(template, values)).toEqual(words);
  });

  it.each(["", "   ", "tool 'open", "tool {baud}", "tool {other}", "tool {constructor}", "x".repeat(5000)])(
    "is refused when it cannot be understood: %.20s",
    (template) => {
      expect(() => flashCommandWords(template, values)).toThrow(/FLASH_COMMAND_INVALID/);
    },
  );

  const run = (template: string, timeoutUs = 20_000_000) => {
    const time = new RealTime();
    onTestFinished(() => time.stop());
    const lines: string[] = [];
    const clock = time.lane(0);
    const ended = runFlashCommand({
      template,
      values,
      folder: tmpdir(),
      clock,
      timeoutUs,
      onLine: (line) => lines.push(line),
    });
    return { ended, lines };
  };

  it("tells what it prints, and waits for its end", async () => {
    const { ended, lines } = run(`sh -c 'echo one; echo "at $0" >&2; printf three' {mac}`);
    await ended;
    expect(lines.sort()).toEqual(["at 7cdfa1001122", "one", "three"]);
  });

  it.each([
    ["sh -c 'echo no such chip; exit 3'", 20_000_000, "exit 3", "no such chip"],
    ["/no/such/program", 20_000_000, "ENOENT", "nothing"],
    ["sh -c 'sleep 60 & wait'", 200_000, "too long", "nothing"],
  ])("fails with what it said: %s", async (template, timeoutUs, sentence, hint) => {
    await expect(run(template, timeoutUs).ended).rejects.toMatchObject({
      code: "FLASH_COMMAND_FAILED",
      sentence: expect.stringContaining(sentence),
      hint: expect.stringContaining(hint),
    });
  });
});
