export { CloudServer, createCloudServer } from "./cloud-server.js";
export { type CloudPorts, type CloudServerOptions, DEFAULT_CLOUD_PORTS } from "./cloud-server-options.js";
export type { DoorName } from "./doors.js";
export { type ServerNames, serverNames } from "./server-names.js";
