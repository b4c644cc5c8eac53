export {
  EVENT_TYPES,
  type EventConfigurationChange,
  EventConfigurations,
  type EventConfigurationsOptions,
  type EventType,
} from "./event-configurations.js";
export { type CloudEvent, EventPublisher, type EventPublisherOptions } from "./event-publisher.js";
export { publishRegistryEvents, type RegistryEventsOptions } from "./registry-events.js";
