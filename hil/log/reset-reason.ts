/**
 * Why a chip started, as its ROM says it. The *class* is what one can reason with across chips: a reset over the EN pin looks
 * like power on every ESP32, so whether a reset was expected is for the harness to know.
 */
export type ResetClass = "power" | "software" | "watchdog" | "sleep" | "host" | "fault" | "unknown";

/** ESP32 family: numbers of the ROM's `rst:`, from ESP-IDF's tables of reset reasons. */
const CLASS_OF_CODE: Readonly<Record<number, ResetClass>> = {
  1: "power",
  3: "software",
  4: "watchdog",
  5: "sleep",
  6: "host",
  7: "watchdog",
  8: "watchdog",
  9: "watchdog",
  10: "fault",
  11: "watchdog",
  12: "software",
  13: "watchdog",
  14: "fault",
  15: "power",
  16: "watchdog",
  17: "watchdog",
  18: "watchdog",
  19: "power",
  20: "fault",
  21: "host",
  22: "host",
  23: "power",
};

export const resetClassOfCode = (code: number): ResetClass => CLASS_OF_CODE[code] ?? "unknown";

/** ESP8266: `rst cause`. A wake from deep sleep pulls the reset pin, so it is an external reset too. */
const ESP8266_CAUSES: Readonly<Record<number, readonly [name: string, of: ResetClass]>> = {
  1: ["POWERON", "power"],
  2: ["EXTERNAL", "host"],
  3: ["SOFTWARE", "software"],
  4: ["WDT", "watchdog"],
};

export const esp8266Reset = (cause: number): readonly [name: string, of: ResetClass] =>
  ESP8266_CAUSES[cause] ?? [`CAUSE_${cause}`, "unknown"];

/** Words in reasons, in the order in which they decide: `RTCWDT_BROWN_OUT_RESET` is about power, not about a watchdog. */
const CLASS_OF_WORD: readonly (readonly [word: string, of: ResetClass])[] = [
  ["BROWN", "power"],
  ["GLITCH", "power"],
  ["POWER", "power"],
  ["WDT", "watchdog"],
  ["WATCHDOG", "watchdog"],
  ["SLEEP", "sleep"],
  ["PANIC", "fault"],
  ["INTRUSION", "fault"],
  ["EFUSE", "fault"],
  ["EXT_CPU", "fault"],
  ["USB", "host"],
  ["JTAG", "host"],
  ["SDIO", "host"],
  ["EXT", "host"],
  ["SW", "software"],
  ["SOFT", "software"],
];

/** For reasons without a number, such as those of a hello. */
export const resetClassOfName = (name: string): ResetClass =>
  CLASS_OF_WORD.find(([word]) => name.includes(word))?.[1] ?? "unknown";
