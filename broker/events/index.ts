export {
  EVENT_TYPES,
  type EventConfigurationChange,
  EventConfigurations,
  type EventType,
} from "./event-configurations.js";
export { type CloudEvent, EventPublisher } from "./event-publisher.js";
export { publishRegistryEvents } from "./registry-events.js";
