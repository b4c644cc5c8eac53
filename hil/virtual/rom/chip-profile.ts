/**
 * What tells one ESP32 from another on its serial line: how the ROM names itself, the registers a flasher reads, and how it boots.
 * Register addresses: Espressif's technical reference manuals.
 */
export const CHIP_NAMES = ["esp32", "esp32c3", "esp32s3"] as const;
export type ChipName = (typeof CHIP_NAMES)[number];

export interface ChipProfile {
  readonly name: ChipName;
  /** `chip_id` of image headers and of GET_SECURITY_INFO. */
  readonly imageChipId: number;
  /** At 0x40001000: how flashers knew a chip before GET_SECURITY_INFO. */
  readonly magic: number;
  readonly answersSecurityInfo: boolean;
  /** Two words: the lower four bytes of the MAC, then the upper two. */
  readonly macRegister: number;
  readonly spiBase: number;
  /** Offsets of the SPI controller's registers that a flasher uses. */
  readonly spiOffsets: { readonly user2: number; readonly data0: number };
  /** Further registers, such as the chip's revision. */
  readonly registers: ReadonlyMap<number, number>;
  /** Where the ROM looks for the second stage. */
  readonly bootloaderOffset: number;
  readonly banner: string;
  /** Text after the line of the reset, when it starts from flash. */
  readonly flashBootText: string;
  /** Value and name of the boot mode in the line of the reset. */
  readonly flashBoot: string;
  readonly downloadBoot: string;
  readonly usbDownloadBoot: string;
  /** Names of resets: by the EN pin or power, by its own USB, and by the watchdog that ends a boot without an image. */
  readonly resets: Readonly<Record<ResetCause, string>>;
}

export type ResetCause = "power" | "usb" | "watchdog";

export const CHIP_MAGIC_REGISTER = 0x40001000;

const RISC_V_RESETS = {
  power: "rst:0x1 (POWERON)",
  usb: "rst:0x15 (USB_UART_CHIP_RESET)",
  watchdog: "rst:0x7 (TG0WDT_SYS_RST)",
} as const;

export const CHIP_PROFILES: Readonly<Record<ChipName, ChipProfile>> = {
  esp32: {
    name: "esp32",
    imageChipId: 0,
    magic: 0x00f01d83,
    answersSecurityInfo: false,
    macRegister: 0x3ff5a004,
    spiBase: 0x3ff42000,
    spiOffsets: { user2: 0x24, data0: 0x80 },
    // Revision 3: one bit each in eFuse words 3 and 5 and in the date of the APB controller.
    registers: new Map([
      [0x3ff5a00c, 1 << 15],
      [0x3ff5a014, 1 << 20],
      [0x3ff6607c, 0x8000_0000],
      [0x3ff40014, 347],
    ]),
    bootloaderOffset: 0x1000,
    banner: "ets Jul 29 2019 12:21:46\r\n\r\n",
    flashBootText:
      "configsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\r\nmode:DIO, clock div:2\r\n",
    flashBoot: "boot:0x13 (SPI_FAST_FLASH_BOOT)",
    downloadBoot: "boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))",
    usbDownloadBoot: "boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))",
    resets: {
      power: "rst:0x1 (POWERON_RESET)",
      usb: "rst:0x1 (POWERON_RESET)",
      watchdog: "rst:0x10 (RTCWDT_RTC_RESET)",
    },
  },
  esp32c3: {
    name: "esp32c3",
    imageChipId: 5,
    magic: 0x1b31506f,
    answersSecurityInfo: true,
    macRegister: 0x60008844,
    spiBase: 0x60002000,
    spiOffsets: { user2: 0x20, data0: 0x58 },
    registers: new Map([[0x60008850, 3 << 18]]),
    bootloaderOffset: 0,
    banner: "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n",
    flashBootText: "SPIWP:0xee\r\nmode:DIO, clock div:1\r\n",
    flashBoot: "boot:0xc (SPI_FAST_FLASH_BOOT)",
    downloadBoot: "boot:0x4 (DOWNLOAD(USB/UART0/1))",
    usbDownloadBoot: "boot:0x7 (DOWNLOAD(USB/UART0/1))",
    resets: RISC_V_RESETS,
  },
  esp32s3: {
    name: "esp32s3",
    imageChipId: 9,
    magic: 0x00000009,
    answersSecurityInfo: true,
    macRegister: 0x60007044,
    spiBase: 0x60002000,
    spiOffsets: { user2: 0x20, data0: 0x58 },
    registers: new Map([[0x60007050, 2 << 18]]),
    bootloaderOffset: 0,
    banner: "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n",
    flashBootText: "SPIWP:0xee\r\nmode:DIO, clock div:1\r\n",
    flashBoot: "boot:0x8 (SPI_FAST_FLASH_BOOT)",
    downloadBoot: "boot:0x0 (DOWNLOAD(USB/UART0))",
    usbDownloadBoot: "boot:0x23 (DOWNLOAD(USB/UART0))",
    resets: RISC_V_RESETS,
  },
};
