export { ConnectionDirectory, type ConnectionReading } from "./connection-directory.js";
