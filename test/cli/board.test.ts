import { describe, expect, it } from "vitest";
import { CH340, CP2102, ESP32_C3, FakeSystem } from "../hil/enumerate/fake-system.js";
import { command, type Outcome } from "./command.js";

const BENCH = `boards:
  - { mac: "84:f7:03:67:84:6c", name: left-arm, tags: [sensors] }
  - { mac: "7c:df:a1:00:11:22", name: right-arm, tags: [sensors], port: /dev/ttyUSB1 }
  - { mac: "7c:df:a1:00:11:33", name: away, tags: [lost] }
`;

const COMMANDS = "list doctor monitor reset download flash erase deploy selftest export replay virtual".split(
  " ",
);

const attached = (): FakeSystem =>
  new FakeSystem().plug(ESP32_C3).plug(CP2102("1-1.4", "ttyUSB0")).plug(CH340("1-1.3", "ttyUSB1"));

/** On a machine with an ESP32-C3, a CP2102 and a CH340; the bench file knows two of them. */
const board = (line: string, files: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  command(
    `board ${line}`,
    { "fleetrig.bench.yaml": BENCH, ...files },
    { machine: { files: attached() }, env: { FLEETRIG_STATE_DIR: "/nowhere/fleetrig" } },
  );

describe("fleetrig board list", () => {
  it("shows boards by what is known of them without opening any", async () => {
    const { code, stdout } = await board("list");
    expect(code).toBe(0);
    expect(stdout.split("\n").map((row) => row.replaceAll(/ {2,}/g, " | "))).toEqual([
      "board | chip | mac | adapter | usb | port | firmware | state",
      "left-arm | - | 84:f7:03:67:84:6c | USB-Serial-JTAG | 1-2.3 | /dev/ttyACM0 | - | free",
      "- | - | - | CP210x | 1-1.4 | /dev/ttyUSB0 | - | free",
      "right-arm | - | 7c:df:a1:00:11:22? | CH340 | 1-1.3 | /dev/ttyUSB1 | - | free",
      "",
    ]);
  });

  it("remembers what boards said of themselves", async () => {
    const seen = {
      mac: "7cdfa1000044",
      chip: "esp32",
      firmware: "fleetrig-reference",
      version: "1.2.0",
      place: "usb:1-1.4:0.0",
      seenMs: 5,
    };
    const { stdout } = await board("list --json", {
      "/nowhere/fleetrig/seen-boards.json": JSON.stringify({ schema: 1, boards: [seen] }),
    });
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((row) => JSON.parse(row) as Record<string, unknown>);
    expect(rows[1]).toMatchObject({
      mac: "7cdfa1000044",
      macIsGuess: true,
      chip: "esp32",
      version: "1.2.0",
      port: "/dev/ttyUSB0",
      usbPath: "1-1.4",
      usbId: "10c4:ea60",
      state: "free",
    });
    expect(rows.map((row) => row["name"])).toEqual(["left-arm", null, "right-arm"]);
  });

  it("says that there is none", async () => {
    const { code, stdout } = await command("board list", {}, { env: { FLEETRIG_STATE_DIR: "/nowhere" } });
    expect([code, stdout]).toEqual([0, "No board is attached. fleetrig board doctor looks for reasons.\n"]);
  });
});

describe("naming a board", () => {
  it.each([
    ["nobody", 2, "There is no board nobody. (BOARD_UNKNOWN)", "left-arm at /dev/ttyACM0, /dev/ttyUSB0"],
    ["sensors", 2, "sensors means several boards. (BOARD_AMBIGUOUS)", "right-arm at /dev/ttyUSB1"],
    ["away", 3, "The board away is known, and no port shows it. (BOARD_ABSENT)", "Is it plugged in?"],
    ["7cdfa1001133", 3, "BOARD_ABSENT", "--probe"],
    ["http://x:1", 2, "PORT_ADDRESS", "rfc2217://host:port"],
  ])("explains %s", async (name, code, sentence, hint) => {
    const outcome = await board(`reset ${name}`);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(sentence);
    expect(outcome.stderr).toContain(hint);
  });

  it("refuses a bench file that is none", async () => {
    const { code, stderr } = await board("list", { "fleetrig.bench.yaml": "boards: 7" });
    expect(code).toBe(2);
    expect(stderr).toContain("BENCH_FILE_INVALID");
  });
});

describe("fleetrig board monitor", () => {
  it("names the file that is no ELF file", async () => {
    const { code, stderr } = await board("monitor left-arm --elf app.bin", { "app.bin": "no ELF at all" });
    expect(code).toBe(2);
    expect(stderr).toContain("app.bin: This is no ELF file that can be read");
  });
});

describe("fleetrig board doctor", () => {
  it("explains what stands between the user and boards", async () => {
    const { code, stdout } = await board("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^look {2}access to \/dev\/ttyUSB0 .*group 20/m);
    expect(stdout).toContain("sudo usermod -aG");
  });
});

describe("the help of fleetrig board", () => {
  it.each(["", ...COMMANDS])("fits a terminal: %s", async (name) => {
    const { code, stdout } = await command(`board ${name} --help`);
    expect(code).toBe(0);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});
