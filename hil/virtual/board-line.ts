/** The end of a virtual board's line that its host plugs in: a pseudo terminal, or a USB device that the host's kernel makes a tty of. */
export interface BoardLine {
  /** The tty; undefined while it is pulled, and where the host makes it. */
  readonly path: string | undefined;
  /**
   * Makes it appear; what is there stays.
   * @param otherThan A path that it must not have.
   * @throws {FleetrigError} BOARD_NO_TTY
   */
  plug(otherThan?: string): void;
  unplug(): void;
  /** Bytes of the board. */
  write(bytes: Uint8Array): void;
}

/** What a line brings to its board. */
export interface BoardLineHandlers {
  received(bytes: Uint8Array): void;
  /** The host's modem lines hold the board in reset. Never called by lines that have none. */
  held(): void;
  /** They have let go. @param isDownload IO0 was low. */
  released(isDownload: boolean): void;
}
