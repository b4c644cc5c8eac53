import { FleetrigError } from "fleetrig/kernel";
import type { Identity } from "../identity/index.js";
import type { Registry } from "../registry/index.js";
import type { AuditFinding } from "./audit-finding.js";
import { type MitigationAction, type MitigationActionType, typeOf } from "./mitigation-actions.js";

/** What mitigation acts on. */
export interface MitigationServices {
  readonly identity: Identity;
  readonly registry: Registry;
}

/** AWS: what came of one action on one finding. */
export type MitigationOutcome =
  | { readonly status: "COMPLETED" }
  | { readonly status: "SKIPPED"; readonly message: string }
  | { readonly status: "FAILED"; readonly errorCode: string; readonly message: string };

const DEVICE_ACTIONS = [
  "UPDATE_DEVICE_CERTIFICATE",
  "ADD_THINGS_TO_THING_GROUP",
  "PUBLISH_FINDING_TO_SNS",
] as const;
const AUTHORITY_ACTIONS = ["UPDATE_CA_CERTIFICATE", "PUBLISH_FINDING_TO_SNS"] as const;
const POLICY_ACTIONS = ["REPLACE_DEFAULT_POLICY_VERSION", "PUBLISH_FINDING_TO_SNS"] as const;

/** AWS: which actions fit which checks; all others fit only PUBLISH_FINDING_TO_SNS. */
const FITTING: ReadonlyMap<string, readonly MitigationActionType[]> = new Map<
  string,
  readonly MitigationActionType[]
>([
  ["CA_CERTIFICATE_EXPIRING_CHECK", AUTHORITY_ACTIONS],
  ["CA_CERTIFICATE_KEY_QUALITY_CHECK", AUTHORITY_ACTIONS],
  ["REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK", AUTHORITY_ACTIONS],
  ["DEVICE_CERTIFICATE_AGE_CHECK", DEVICE_ACTIONS],
  ["DEVICE_CERTIFICATE_EXPIRING_CHECK", DEVICE_ACTIONS],
  ["DEVICE_CERTIFICATE_KEY_QUALITY_CHECK", DEVICE_ACTIONS],
  ["DEVICE_CERTIFICATE_SHARED_CHECK", DEVICE_ACTIONS],
  ["REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK", DEVICE_ACTIONS],
  ["IOT_POLICY_OVERLY_PERMISSIVE_CHECK", POLICY_ACTIONS],
  ["IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK", POLICY_ACTIONS],
  ["LOGGING_DISABLED_CHECK", ["ENABLE_IOT_LOGGING", "PUBLISH_FINDING_TO_SNS"]],
]);

export const fits = (checkName: string, type: MitigationActionType): boolean =>
  (FITTING.get(checkName) ?? ["PUBLISH_FINDING_TO_SNS"]).includes(type);

/** AWS's blank policy takes every permission away. */
const BLANK_POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

/** Does something about a finding. What the services refuse is an outcome. */
export function mitigate(
  finding: AuditFinding,
  action: MitigationAction,
  services: MitigationServices,
): MitigationOutcome {
  try {
    return EFFECTS[typeOf(action)](finding, action, services);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const name = error.context["awsError"];
    return {
      status: "FAILED",
      errorCode: typeof name === "string" ? name : error.code,
      message: error.sentence,
    };
  }
}

type Effect = (
  finding: AuditFinding,
  action: MitigationAction,
  services: MitigationServices,
) => MitigationOutcome;

const COMPLETED: MitigationOutcome = { status: "COMPLETED" };
const skipped = (message: string): MitigationOutcome => ({ status: "SKIPPED", message });

const EFFECTS: Readonly<Record<MitigationActionType, Effect>> = {
  UPDATE_DEVICE_CERTIFICATE({ nonCompliantResource }, _, { identity }) {
    const { deviceCertificateId } = nonCompliantResource.resourceIdentifier;
    if (deviceCertificateId === undefined) return skipped("The finding is about no device certificate.");
    identity.certificates.update(deviceCertificateId, "INACTIVE");
    return COMPLETED;
  },
  UPDATE_CA_CERTIFICATE({ nonCompliantResource }, _, { identity }) {
    const { caCertificateId } = nonCompliantResource.resourceIdentifier;
    if (caCertificateId === undefined) return skipped("The finding is about no CA certificate.");
    identity.authorities.update(caCertificateId, { newStatus: "INACTIVE" });
    return COMPLETED;
  },
  ADD_THINGS_TO_THING_GROUP({ nonCompliantResource }, { actionParams }, { registry }) {
    const { deviceCertificateId = "" } = nonCompliantResource.resourceIdentifier;
    const { thingGroupNames, overrideDynamicGroups = false } = actionParams.addThingsToThingGroupParams!;
    const things = registry.principals.thingsOf(deviceCertificateId);
    if (things.length === 0) return skipped("The certificate is attached to no thing.");
    for (const { thing } of things) {
      for (const thingGroupName of thingGroupNames)
        registry.addThingToThingGroup({ thingName: thing.name, thingGroupName, overrideDynamicGroups });
    }
    return COMPLETED;
  },
  REPLACE_DEFAULT_POLICY_VERSION({ nonCompliantResource }, _, { identity }) {
    const { policyName = "" } = nonCompliantResource.resourceIdentifier.policyVersionIdentifier ?? {};
    identity.policies.createVersion(policyName, { policyDocument: BLANK_POLICY, setAsDefault: true });
    return COMPLETED;
  },
  ENABLE_IOT_LOGGING(_, { actionParams }, { identity }) {
    const { roleArnForLogging, logLevel } = actionParams.enableIoTLoggingParams!;
    identity.logging.setV2({ roleArn: roleArnForLogging, defaultLogLevel: logLevel, disableAllLogs: false });
    return COMPLETED;
  },
  PUBLISH_FINDING_TO_SNS: () => ({
    status: "FAILED",
    errorCode: "NotImplementedException",
    message: "There is no Amazon SNS here.",
  }),
};
