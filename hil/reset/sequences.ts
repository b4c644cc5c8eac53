/**
 * Line trains of the ESP32 family, in the language of {@link parseSequence}. On a bridge with the usual two transistors EN is low while RTS is
 * asserted and DTR is not, IO0 is low while DTR is asserted and RTS is not; both or neither let the chip run. There is
 * no state with both pins low: loaders are reached because a capacitor delays EN's rise. (REF hil §3)
 */
export const RESET_SEQUENCES = {
  /** UART bridges: EN low for 100 ms. DTR again before RTS is released, or the chip lands in its loader. */
  hard: "D0|R1|W100|D0|R0",
  /** The chip's own USB: resets on RTS, and may come back as a new device. */
  "hard-usb": "U0,1|W200|U0,0|W200",
} as const;

export const DOWNLOAD_SEQUENCES = {
  /** Both lines move at once, so there is no moment in which the wrong pin falls. */
  tight: "U0,0|U1,1|U0,1|W100|U1,0|W50|U0,0|D0",
  classic: "D0|R1|W100|D1|R0|W50|D0",
  /** For boards with a large capacitor at EN. */
  "classic-slow": "D0|R1|W100|D1|R0|W550|D0",
  /** The chip's own USB; through both asserted, since its logic looks at edges. */
  "usb-jtag": "U0,0|W100|D1|R0|W100|R1|D0|R1|W100|D0|R0",
} as const;

export type ResetSequenceName = keyof typeof RESET_SEQUENCES;
export type DownloadSequenceName = keyof typeof DOWNLOAD_SEQUENCES;
