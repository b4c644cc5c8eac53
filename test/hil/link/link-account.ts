import type { LinkCounters, NoiseCounters, NoiseSettings } from "fleetrig/hil";
import { expect } from "vitest";

/** What both ends of a link count, the firmware's too. */
export type EndCounters = Pick<
  LinkCounters,
  | "framesIn"
  | "framesOut"
  | "badFrames"
  | "dataIn"
  | "dataOut"
  | "duplicates"
  | "gaps"
  | "repeatedByTimeout"
  | "repeatedByAck"
  | "creditProbes"
  | "stale"
  | "unknown"
>;

/** A line that harms, drops and repeats bytes, and is silent for 200 ms now and then. */
export const noise = (byteErrorRate: number, stallEveryUs = 10_000_000): NoiseSettings => ({
  byteErrorRate,
  dropRate: byteErrorRate / 10,
  duplicateRate: byteErrorRate / 10,
  stallUs: 200_000,
  stallEveryUs,
});

/** Frames with data that were sent again. */
export const repeated = (counters: EndCounters): number =>
  counters.repeatedByTimeout + counters.repeatedByAck;

/**
 * What one end has sent must be what the other has got and what the line has destroyed, to the frame.
 * @param cutFrames Frames that a held-up process has cut, where there are processes.
 * @returns frames that were sent for the first time
 */
export function expectExplained(
  sender: EndCounters,
  receiver: EndCounters,
  line: NoiseCounters,
  cutFrames = 0,
): number {
  const frames = sender.dataOut - repeated(sender) - sender.creditProbes;
  expect(receiver.dataIn - receiver.duplicates - receiver.gaps).toBe(frames);
  const destroyedData = sender.dataOut - receiver.dataIn;
  expect(repeated(sender) + sender.creditProbes).toBe(receiver.duplicates + receiver.gaps + destroyedData);
  expect(destroyedData).toBeGreaterThanOrEqual(0);
  expect(destroyedData).toBeLessThanOrEqual(harmedAtMost(line) + cutFrames);
  return frames;
}

/** The same of both ends at rest, control frames included. @returns frames that were sent for the first time */
export function expectAllExplained(sender: EndCounters, receiver: EndCounters, line: NoiseCounters): number {
  const frames = expectExplained(sender, receiver, line);
  const destroyed = sender.framesOut - receiver.framesIn;
  expect(sender.dataOut - receiver.dataIn).toBeLessThanOrEqual(destroyed);
  expect(destroyed).toBeLessThanOrEqual(harmedAtMost(line));
  return frames;
}

/** A zero that is harmed takes two frames with it; a stall may cut one. */
export const harmedAtMost = ({ errors, drops, duplicates, stalls }: NoiseCounters): number =>
  2 * (errors + drops + duplicates) + stalls;
