import { describe, expect, it } from "vitest";
import { resetClassOfCode, resetClassOfName } from "../../../hil/log/index.js";
import { BoardRig } from "./board-rig.js";

const STARTS: readonly (readonly [string, string, object])[] = [
  [
    "ESP32 from flash",
    "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nconfigsip: 0, SPIWP:0xee\r\n",
    {
      resetReason: "POWERON_RESET",
      resetCode: 1,
      resetClass: "power",
      mode: "firmware",
      bootWord: "SPI_FAST_FLASH_BOOT",
    },
  ],
  [
    "ESP32 in download mode",
    "rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n",
    { mode: "download", bootWord: "DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2)" },
  ],
  [
    "ESP32-C3 after a watchdog",
    "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x7 (TG0WDT_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n",
    { chip: "esp32c3", resetClass: "watchdog", mode: "firmware" },
  ],
  [
    "ESP32-C3 in download mode over USB",
    "ESP-ROM:esp32c3-api1-20210207\r\nrst:0x15 (USB_UART_CHIP_RESET),boot:0x0 (USB_BOOT)\r\nwait usb download\r\n",
    { chip: "esp32c3", resetClass: "host", mode: "download" },
  ],
  [
    "ESP32-S3 awake again",
    "ESP-ROM:esp32s3-20210327\r\nrst:0x5 (DSLEEP),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n",
    { chip: "esp32s3", resetClass: "sleep" },
  ],
  [
    "ESP8266 from flash",
    "\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n",
    { chip: "esp8266", resetReason: "EXTERNAL", mode: "firmware" },
  ],
  [
    "ESP8266 in download mode",
    " ets Jan  8 2013,rst cause:1, boot mode:(1,7)\r\n",
    { resetClass: "power", mode: "download" },
  ],
  [
    "MicroPython's soft reset",
    "MPY: soft reboot\r\nMicroPython v1.27.0\r\n",
    { resetReason: "SOFT_RESET", resetClass: "software" },
  ],
  [
    "Zephyr",
    "*** Booting Zephyr OS build v3.7.0 ***\r\n",
    { resetReason: undefined, resetClass: "unknown", mode: "firmware" },
  ],
];

describe("starts of boards", () => {
  it.each(STARTS)("are told once: %s", (_, text, wanted) => {
    const rig = new BoardRig();
    rig.say(text);
    expect(rig.boots).toMatchObject([wanted]);
  });

  it("count from the first line of the banner", () => {
    const rig = new BoardRig();
    rig.say("ESP-ROM:esp32c3-api1-20210207\r\n", 1000);
    rig.say("rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n", 5000);
    expect(rig.boots).toMatchObject([{ atUs: 1000 }]);
  });

  it("do not count from what was left on their line by whatever ran before", () => {
    const rig = new BoardRig();
    rig.say("half a fra", 1000);
    rig.say("rst:0x1 (POWERON),boot:0xc ", 900_000);
    rig.say("(SPI_FAST_FLASH_BOOT)\r\n", 910_000);
    expect(rig.boots).toMatchObject([{ atUs: 900_000 }]);
    expect(rig.lines).toMatchObject([{ atUs: 1000 }]);
  });

  it("are told again when there is no image to start", () => {
    const rig = new BoardRig();
    rig.say("rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n");
    for (let i = 0; i < 20; i += 1) rig.say("invalid header: 0xffffffff\r\n");
    expect(rig.boots.map(({ mode }) => mode)).toEqual(["firmware", "no-image"]);
    expect(rig.log.bootMode).toBe("no-image");
  });

  it("in download mode are seen when the reset line was missed", () => {
    const rig = new BoardRig();
    rig.say("rst:0x1 (POW\u0000waiting for download\r\n");
    expect(rig.boots).toMatchObject([{ mode: "download", resetReason: undefined }]);
  });

  it("with one complaint about a header have an image", () => {
    const rig = new BoardRig();
    rig.say("rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n");
    rig.say("invalid header: 0xffffffff\r\nI (12) app: here\r\n".repeat(5));
    expect(rig.boots.map(({ mode }) => mode)).toEqual(["firmware"]);
  });

  it("that Zephyr tells after the ROM are one start", () => {
    const rig = new BoardRig();
    rig.say("rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n*** Booting Zephyr OS build v3.7.0 ***\r\n");
    expect(rig.boots).toHaveLength(1);
  });

  it("are expected for as long as the harness said", () => {
    const rig = new BoardRig();
    rig.log.expectRestart(1_000_000);
    rig.say("rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n", 500_000);
    rig.say("rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n", 1_500_000);
    expect(rig.boots.map(({ isExpected }) => isExpected)).toEqual([true, false]);
  });
});

describe("reset reasons", () => {
  it("have classes by the ROM's code", () => {
    const of = (wanted: string): number[] =>
      Array.from({ length: 26 }, (_, code) => code).filter((code) => resetClassOfCode(code) === wanted);
    expect({
      power: of("power"),
      software: of("software"),
      watchdog: of("watchdog"),
      sleep: of("sleep"),
      fault: of("fault"),
    }).toEqual({
      power: [1, 15, 19, 23],
      software: [3, 12],
      watchdog: [4, 7, 8, 9, 11, 13, 16, 17, 18],
      sleep: [5],
      fault: [10, 14, 20],
    });
  });

  it.each([
    ["POWERON", "power"],
    ["RTCWDT_BROWN_OUT_RESET", "power"],
    ["SW_CPU_RESET", "software"],
    ["TG0_WDT_RESET", "watchdog"],
    ["DEEPSLEEP", "sleep"],
    ["PANIC", "fault"],
    ["USB_UART_CHIP_RESET", "host"],
    ["whatever", "unknown"],
  ])("have classes by name: %s is %s", (name, wanted) => {
    expect(resetClassOfName(name)).toBe(wanted);
  });
});
