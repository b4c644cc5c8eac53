export { createPresence, type Presence, type PresenceOptions } from "./presence.js";
