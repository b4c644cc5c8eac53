import type { JsonObject, JsonValue } from "fleetrig/kernel";
import type { DeviceSignalEvent, ModelInput } from "../model.js";
import { artifactFor, corruptedArtifactFor } from "./artifact.js";
import { type OtaPhases, type OtaSettings, otaSettings, planPhases } from "./ota-phases.js";

/** The update that a job document asks for. */
export interface OtaJob {
  readonly jobId: string;
  readonly executionNumber: number;
  readonly version: string;
  /** Lower-case hexadecimal; undefined when the document names none, and nothing is verified. */
  readonly sha256: string | undefined;
}

export interface OtaContext {
  readonly settings: OtaSettings;
  /** The firmware that runs. */
  readonly firmware: string;
  readonly job: OtaJob | undefined;
  readonly phases: OtaPhases;
  readonly blocksDone: number;
  /** Why the last update failed, for its statusDetails. */
  readonly reason: string;
  /** Active faults by name, with their details. */
  readonly faults: JsonObject;
}

const UNKNOWN_FIRMWARE = "0.0.0";

export function otaContext({ attributes, settings }: ModelInput): OtaContext {
  const ota = otaSettings(settings);
  const firmware = attributes["firmware"];
  return {
    settings: ota,
    firmware: typeof firmware === "string" || typeof firmware === "number" ? `${firmware}` : UNKNOWN_FIRMWARE,
    job: undefined,
    phases: planPhases(ota, {}, 0),
    blocksDone: 0,
    reason: "",
    faults: {},
  };
}

export const hasFault = (context: OtaContext, fault: string): boolean => Object.hasOwn(context.faults, fault);

/** The set of faults after a FAULT event. */
export function faultsAfter(faults: JsonObject, event: DeviceSignalEvent): JsonObject {
  if (event.type !== "FAULT") return faults;
  const others: [string, JsonValue][] = Object.entries(faults).filter(([name]) => name !== event.fault);
  return Object.fromEntries(event.active ? [...others, [event.fault, event.detail]] : others);
}

const MAX_VERSION_CHARS = 64;

/** @returns undefined for a job that is not an update this device can do. */
export function otaJobOf(event: DeviceSignalEvent): OtaJob | undefined {
  if (event.type !== "JOB") return undefined;
  const { operation, version, sha256 } = event.document;
  if (operation !== undefined && operation !== "ota") return undefined;
  if (typeof version !== "string" || version === "" || version.length > MAX_VERSION_CHARS) return undefined;
  return {
    jobId: event.jobId,
    executionNumber: event.executionNumber,
    version,
    sha256: typeof sha256 === "string" ? sha256.toLowerCase() : undefined,
  };
}

/** Whether the image, as it arrived, has the hash that the document promises. */
export function isImageIntact(context: OtaContext): boolean {
  const { job, settings } = context;
  const isDamaged = hasFault(context, "ota.verify-failed");
  if (job?.sha256 === undefined) return !isDamaged;
  if (isDamaged) return corruptedArtifactFor(job.version).sha256 === job.sha256;
  const known = Object.hasOwn(settings.images, job.version) ? settings.images[job.version] : undefined;
  return (known ?? artifactFor(job.version).sha256) === job.sha256;
}
