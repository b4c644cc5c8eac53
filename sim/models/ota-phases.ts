import { type Distribution, isJsonObject, type JsonObject, type JsonValue, US_PER_MS } from "fleetrig/kernel";
import { ARTIFACT_BYTES } from "./artifact.js";
import { distributionIn, quantileUs } from "./quantile.js";

/**
 * An update's time table. `executionTime` is the time from IN_PROGRESS to a terminal status and is split over
 * the phases; when a fault ends the update early, the phases before it stretch so that the sum still holds.
 */
export interface OtaPhases {
  readonly blocks: number;
  readonly blockMs: number;
  readonly verifyMs: number;
  readonly flashMs: number;
  readonly downUs: number;
  readonly selfTestMs: number;
}

export interface OtaSettings {
  readonly executionTime: Distribution;
  readonly blockBytes: number;
  /** SHA-256 of versions that exist as real images, for boards beside the device; see `artifactFor` for all others. */
  readonly images: Readonly<Record<string, string>>;
}

const SHARE = { download: 0.5, verify: 0.1, flash: 0.2, down: 0.12, selfTest: 0.08 } as const;

/** What part of the whole has passed when a fault ends the update. */
const ENDS_AT: Readonly<Record<string, number>> = {
  "ota.download-failed": SHARE.download / 2,
  "ota.verify-failed": SHARE.download + SHARE.verify,
  "ota.flash-failed": SHARE.download + SHARE.verify + SHARE.flash,
};

const DEFAULT_EXECUTION_TIME: Distribution = { dist: "uniform", min: 60e6, max: 180e6 };
const DEFAULT_BLOCK_BYTES = 16_384;
const MAX_BLOCKS = 64;
const DEFAULT_SLOW_FACTOR = 5;

/** Reads the `ota:` block of a group. */
export function otaSettings(settings: JsonObject): OtaSettings {
  const block = settings["ota"];
  const ota = isJsonObject(block) ? block : {};
  const blockBytes = ota["blockBytes"];
  return {
    executionTime: distributionIn(ota["executionTime"] ?? settings["executionTime"], DEFAULT_EXECUTION_TIME),
    images: textsIn(ota["images"]),
    blockBytes: typeof blockBytes === "number" && blockBytes >= 1 ? blockBytes : DEFAULT_BLOCK_BYTES,
  };
}

const textsIn = (value: JsonValue | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(isJsonObject(value) ? value : {}).flatMap(([key, text]) =>
      typeof text === "string" ? [[key, text]] : [],
    ),
  );

/** @param faults Active faults by name, with their details. @param probability Uniform draw in [0, 1). */
export function planPhases(settings: OtaSettings, faults: JsonObject, probability: number): OtaPhases {
  const endsAt = Object.keys(faults).reduce((share, fault) => Math.min(share, ENDS_AT[fault] ?? 1), 1);
  const totalUs = (quantileUs(settings.executionTime, probability) * slowFactor(faults)) / endsAt;
  const blocks = Math.min(MAX_BLOCKS, Math.max(2, Math.ceil(ARTIFACT_BYTES / settings.blockBytes)));
  const ms = (share: number): number => (totalUs * share) / US_PER_MS;
  return {
    blocks,
    blockMs: ms(SHARE.download) / blocks,
    verifyMs: ms(SHARE.verify),
    flashMs: ms(SHARE.flash),
    downUs: Math.round(totalUs * SHARE.down),
    selfTestMs: ms(SHARE.selfTest),
  };
}

function slowFactor(faults: JsonObject): number {
  const detail = faults["ota.slow"];
  if (!isJsonObject(detail)) return 1;
  const factor = detail["factor"];
  return typeof factor === "number" && factor > 0 ? factor : DEFAULT_SLOW_FACTOR;
}
