export type { CreateOtaUpdateRequest, OtaFile, OtaProtocol, OtaUpdate } from "./ota-request.js";
export { OtaUpdates, type OtaUpdatesOptions } from "./ota-updates.js";
