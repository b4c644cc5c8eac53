export {
  createPresence,
  type Presence,
  type PresenceConnected,
  type PresenceDisconnected,
  type PresenceOptions,
  type PresenceRefused,
} from "./presence.js";
