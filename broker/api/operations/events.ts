import { EVENT_TYPES, type EventConfigurationChange } from "../../events/index.js";
import { operation, type OperationTable } from "../operation.js";

/** Which events the account wants (REF §4). */
export const eventOperations: OperationTable = {
  DescribeEventConfigurations: operation((_input, { cloud }) => {
    const { eventConfigurations } = cloud;
    const { times } = eventConfigurations;
    return {
      eventConfigurations: Object.fromEntries(
        EVENT_TYPES.map((type) => [type, { Enabled: eventConfigurations.isEnabled(type) }]),
      ),
      creationDate: times && times.createdAtMs / 1000,
      lastModifiedDate: times && times.modifiedAtMs / 1000,
    };
  }),
  UpdateEventConfigurations: operation<{ readonly eventConfigurations?: EventConfigurationChange }>(
    ({ eventConfigurations = {} }, { cloud }) => {
      cloud.eventConfigurations.update(eventConfigurations);
      return undefined;
    },
  ),
};
