export { findSerialPorts } from "./serial-ports.js";
