import { parseProvisioningTemplate, planOf, type ProvisioningPlan } from "fleetrig/broker";

/** A template of one thing. */
export const templateOf = (properties: object, overrides?: object): object => ({
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: properties,
      ...(overrides && { OverrideSettings: overrides }),
    },
  },
});

/** What a template comes to; all values are the device's own choice when `fromDevice`. */
export function planFor(
  template: object,
  values: Readonly<Record<string, string>> = {},
  { fromDevice = false } = {},
): ProvisioningPlan {
  return planOf(parseProvisioningTemplate(JSON.stringify(template)), {
    values: new Map(Object.entries(values)),
    ...(fromDevice && { chosenByDevice: new Set(Object.keys(values)) }),
  });
}
