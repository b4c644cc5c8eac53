import { BOARD_FAULTS } from "fleetrig/hil";
import { LINK_FAULTS } from "fleetrig/sim";

/** Faults of an update, carried out by device models that take jobs. */
const OTA_FAULTS: readonly (readonly [name: string, description: string])[] = [
  ["ota.offline", "The device goes offline before it is notified; its execution stays QUEUED."],
  ["ota.rejected", "The device answers REJECTED."],
  ["ota.download-stall", "The download hangs."],
  ["ota.download-failed", "The download fails; the device reports FAILED."],
  ["ota.verify-failed", "The image does not verify; the device reports FAILED."],
  ["ota.flash-failed", "Writing fails; the device reports FAILED."],
  ["ota.boot-loop-rollback", "The new version does not boot; the device rolls back and reports FAILED."],
  ["ota.hang", "The execution stays IN_PROGRESS until it is TIMED_OUT."],
  ["ota.silent-after-reboot", "The device is never heard from again after its reboot."],
  ["ota.slow", "The update takes longer than usual."],
];

/**
 * Faults that `inject` knows, by name. A fault that is not listed here is an error in the scenario: a run whose
 * fault was silently ignored would pass for the wrong reason.
 */
export const FAULTS: ReadonlyMap<string, string> = new Map([
  ...OTA_FAULTS,
  ...[...LINK_FAULTS, ...BOARD_FAULTS].map(([name, { description }]) => [name, description] as const),
]);

export const FAULT_NAMES = [...FAULTS.keys()] as [string, ...string[]];
