/** What goes wrong in a virtual chip's boot loader. Counts go down as it happens: one object is one story. */
export interface RomFaults {
  /** SYNC commands that get no answer. */
  ignoredSyncs?: number;
  /** Data blocks, counted from 0 over the chip's life, that are refused as damaged when they come first. */
  readonly badBlocks?: Set<number>;
  /** Data blocks whose answer is lost: the host cannot know that they were taken. */
  readonly lostAnswers?: Set<number>;
  /** Sums over flash that come out wrong. */
  wrongSums?: number;
  /** Highest baud rate at which the line carries bytes unharmed. */
  readonly highestBaud?: number;
  /** Power goes away when this many bytes of flash have been programmed, in the middle of a block if so. */
  powerCutAfterBytes?: number;
  /** Bytes of flash that do not take what is programmed. */
  readonly wornBytes?: ReadonlySet<number>;
  /** Uploading and starting a stub fails, as it does with Secure Download Mode. */
  readonly refusesStub?: boolean;
  /** Stubs that run without having said so, or so late that nobody waits any more. */
  muteStubs?: number;
}
