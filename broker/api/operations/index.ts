import type { OperationCatalogue } from "../operation.js";
import { auditOperations } from "./audits.js";
import { mitigationOperations } from "./mitigations.js";
import { authorizerOperations } from "./authorizers.js";
import { billingGroupOperations } from "./billing-groups.js";
import { authorizationOperations } from "./authorization.js";
import { caCertificateOperations } from "./ca-certificates.js";
import { certificateOperations } from "./certificates.js";
import { commandDataOperations, commandOperations } from "./commands.js";
import { connectionOperations } from "./connections.js";
import { domainConfigurationOperations } from "./domain-configurations.js";
import { endpointOperations } from "./endpoints.js";
import { eventOperations } from "./events.js";
import { fleetIndexOperations } from "./fleet-index.js";
import { fleetMetricOperations } from "./fleet-metrics.js";
import { jobTemplateOperations } from "./job-templates.js";
import { jobOperations } from "./jobs.js";
import { jobsDataOperations } from "./jobs-data.js";
import { loggingOperations } from "./logging.js";
import { messageOperations } from "./messages.js";
import { otaUpdateOperations } from "./ota-updates.js";
import { policyOperations } from "./policies.js";
import { provisioningOperations } from "./provisioning.js";
import { roleAliasOperations } from "./role-aliases.js";
import { ruleOperations } from "./rules.js";
import { streamOperations } from "./streams.js";
import { shadowOperations } from "./shadows.js";
import { tagOperations } from "./tags.js";
import { thingGroupOperations } from "./thing-groups.js";
import { thingTypeOperations } from "./thing-types.js";
import { thingOperations } from "./things.js";

/** Every operation there is, by the API it belongs to. */
export const OPERATIONS: OperationCatalogue = {
  iot: {
    ...auditOperations,
    ...mitigationOperations,
    ...authorizerOperations,
    ...billingGroupOperations,
    ...caCertificateOperations,
    ...certificateOperations,
    ...domainConfigurationOperations,
    ...endpointOperations,
    ...eventOperations,
    ...fleetIndexOperations,
    ...fleetMetricOperations,
    ...commandOperations,
    ...jobOperations,
    ...jobTemplateOperations,
    ...otaUpdateOperations,
    ...policyOperations,
    ...authorizationOperations,
    ...loggingOperations,
    ...provisioningOperations,
    ...roleAliasOperations,
    ...ruleOperations,
    ...streamOperations,
    ...tagOperations,
    ...thingGroupOperations,
    ...thingOperations,
    ...thingTypeOperations,
  },
  "iot-data": { ...connectionOperations, ...messageOperations, ...shadowOperations },
  "iot-jobs-data": { ...commandDataOperations, ...jobsDataOperations },
};
