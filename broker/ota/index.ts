export type { CreateOtaUpdateRequest, OtaUpdate } from "./ota-request.js";
export { OtaUpdates } from "./ota-updates.js";
