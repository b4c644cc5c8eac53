import type { OperationCatalogue } from "../operation.js";
import { connectionOperations } from "./connections.js";
import { messageOperations } from "./messages.js";
import { ruleOperations } from "./rules.js";
import { shadowOperations } from "./shadows.js";

/** Every operation there is, by the API it belongs to. */
export const OPERATIONS: OperationCatalogue = {
  iot: { ...ruleOperations },
  "iot-data": { ...connectionOperations, ...messageOperations, ...shadowOperations },
  "iot-jobs-data": {},
};
