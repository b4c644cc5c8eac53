import type { OperationCatalogue } from "../operation.js";
import { caCertificateOperations } from "./ca-certificates.js";
import { certificateOperations } from "./certificates.js";
import { connectionOperations } from "./connections.js";
import { jobOperations } from "./jobs.js";
import { jobsDataOperations } from "./jobs-data.js";
import { messageOperations } from "./messages.js";
import { policyOperations } from "./policies.js";
import { provisioningOperations } from "./provisioning.js";
import { ruleOperations } from "./rules.js";
import { shadowOperations } from "./shadows.js";

/** Every operation there is, by the API it belongs to. */
export const OPERATIONS: OperationCatalogue = {
  iot: {
    ...caCertificateOperations,
    ...certificateOperations,
    ...jobOperations,
    ...policyOperations,
    ...provisioningOperations,
    ...ruleOperations,
  },
  "iot-data": { ...connectionOperations, ...messageOperations, ...shadowOperations },
  "iot-jobs-data": { ...jobsDataOperations },
};
