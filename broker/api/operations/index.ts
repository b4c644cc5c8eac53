import type { OperationCatalogue } from "../operation.js";
import { shadowOperations } from "./shadows.js";

/** Every operation there is, by the API it belongs to. */
export const OPERATIONS: OperationCatalogue = {
  iot: {},
  "iot-data": { ...shadowOperations },
  "iot-jobs-data": {},
};
