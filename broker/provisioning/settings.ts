import type { Override } from "./template-resources.js";

/** Choices and quotas of provisioning; AWS's where it has them (REF §11). */
export interface ProvisioningSettings {
  /** MQTT requests per second and kind. AWS: 10, 20 and 10. */
  readonly createKeysPerS: number;
  readonly createFromCsrPerS: number;
  readonly registerThingPerS: number;
  /** How long a new certificate waits to be provisioned before it is deleted. AWS: 3,600 s. */
  readonly ownershipTokenS: number;
  /** How long a claim certificate of CreateProvisioningClaim is good for. AWS: 300 s. */
  readonly claimS: number;
  /**
   * What becomes of parts of a thing that exists already, where the template has no OverrideSettings for them.
   * AWS's documents do not say.
   */
  readonly defaultOverride: Exclude<Override, "MERGE">;
  /** Parameters of one request of a device. */
  readonly maxParameters: number;
}

export const DEFAULT_PROVISIONING_SETTINGS: ProvisioningSettings = {
  createKeysPerS: 10,
  createFromCsrPerS: 20,
  registerThingPerS: 10,
  ownershipTokenS: 3_600,
  claimS: 300,
  defaultOverride: "DO_NOTHING",
  maxParameters: 100,
};
