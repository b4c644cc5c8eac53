import { CHIP_PROFILES } from "./chip-profile.js";

/** Resets as the ROM of a RISC-V chip writes them, by the reason for which the board starts. */
const RESETS: Readonly<Record<string, string>> = {
  SW_CPU_RESET: "0xc (RTC_SW_CPU_RST)",
  PANIC: "0xc (RTC_SW_CPU_RST)",
  DEEPSLEEP: "0x5 (DSLEEP)",
  TG0_WDT_RESET: "0x7 (TG0WDT_SYS_RST)",
};
const POWER = "0x1 (POWERON)";

/** What the ROM says before anything in flash runs. */
export function romBootText(reason: string): string {
  const { banner, flashBoot } = CHIP_PROFILES.esp32c3;
  return `${banner}rst:${RESETS[reason] ?? POWER},${flashBoot}\r\n`;
}
