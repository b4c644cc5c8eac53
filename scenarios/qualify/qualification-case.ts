import type { CaseScript, Stage } from "./endpoint/case-script.js";
import type { Judge } from "./judgement.js";
import type { CaseParameters, ParameterName } from "./parameters.js";

/** What a case is about; TLS cases need a device that speaks TLS to the endpoint itself. */
export type CaseGroup = "TLS" | "MQTT" | "Shadow" | "Job" | "Security";

/** Which certificate the TLS door shows while a case runs. */
export type ShownCertificate = "good" | "larger" | "other-authority" | "wrong-name";

/** One case: what the endpoint does, and how what came of it is judged. */
export interface QualificationCase {
  /** AWS's: `MQTT_Connect`. */
  readonly id: string;
  readonly group: CaseGroup;
  /** What it wants of a device, in a few words. */
  readonly title: string;
  /** Parameters that mean something to it, besides EXECUTION_TIMEOUT. */
  readonly accepts: readonly ParameterName[];
  readonly defaults?: Partial<CaseParameters>;
  /** Model that a board of ours runs for it; default: one that follows its shadow. */
  readonly model?: "ota-device" | "shadow-device";
  /** Default: `good`. */
  readonly certificate?: ShownCertificate;
  /** Default: the endpoint serves like any server. */
  readonly script?: (stage: Stage) => CaseScript;
  readonly judge: Judge;
  /** A case of several, one after the other; each has the whole time. They are judged instead of it. */
  readonly parts?: (parameters: CaseParameters) => readonly CasePart[];
}

/** A part of a longer case. */
export interface CasePart {
  readonly name: string;
  readonly script?: (stage: Stage) => CaseScript;
  readonly judge: Judge;
  /** Beside those of the case. */
  readonly parameters?: Partial<CaseParameters>;
  /** Seconds that it takes whatever the device does; EXECUTION_TIMEOUT comes on top. */
  readonly ownS?: number;
}
