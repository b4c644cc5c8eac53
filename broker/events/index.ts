export {
  EVENT_TYPES,
  type EventConfigurationChange,
  type EventConfigurations,
  type EventType,
} from "./event-configurations.js";
export { createRegistryEvents } from "./registry-events.js";
