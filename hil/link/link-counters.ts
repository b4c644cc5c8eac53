/**
 * What a link has seen. Whatever is not as it should be is counted under one name, so that the numbers of both ends explain each other:
 * `dataOut` = first sendings + both kinds of repetition + `creditProbes`; the other end's `dataIn` = taken + `duplicates` + `gaps`.
 */
export interface LinkCounters {
  bytesIn: number;
  bytesOut: number;
  /** Bytes of the text lane, those of bad frames included. */
  textBytes: number;
  framesIn: number;
  framesOut: number;
  /** Ended, but no frame: decoding or CRC failed. */
  badFrames: number;
  /** No byte for 100 ms in the middle. */
  cutFrames: number;
  /** Of those, frames whose rest came late: an emulator, or this process, was held up. */
  lateFrames: number;
  /** Longer than any frame may be. */
  longFrames: number;
  /** DATA frames of the present session. */
  dataIn: number;
  dataOut: number;
  /** DATA that had come before. */
  duplicates: number;
  /** DATA that came before its turn. */
  gaps: number;
  /** Frames of another session. */
  stale: number;
  /** Frames of unknown types, and messages that nobody knows. */
  unknown: number;
  /** Hellos, control messages and clock samples that are not what they should be. */
  invalid: number;
  /** DATA sent again because its time was up. */
  repeatedByTimeout: number;
  /** DATA sent again because the other end repeated its acknowledgement. */
  repeatedByAck: number;
  /** Empty DATA sent to ask for credit. */
  creditProbes: number;
  sessionsOpened: number;
  sessionsLost: number;
  restarts: number;
}

export const createLinkCounters = (): LinkCounters => ({
  bytesIn: 0,
  bytesOut: 0,
  textBytes: 0,
  framesIn: 0,
  framesOut: 0,
  badFrames: 0,
  cutFrames: 0,
  lateFrames: 0,
  longFrames: 0,
  dataIn: 0,
  dataOut: 0,
  duplicates: 0,
  gaps: 0,
  stale: 0,
  unknown: 0,
  invalid: 0,
  repeatedByTimeout: 0,
  repeatedByAck: 0,
  creditProbes: 0,
  sessionsOpened: 0,
  sessionsLost: 0,
  restarts: 0,
});
