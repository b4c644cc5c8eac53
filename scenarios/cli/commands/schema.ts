import { EXIT } from "fleetrig/kernel";
import { scenarioSchemaText } from "../../schema/json-schema.js";
import type { Host } from "../host.js";

/** `fleetrig schema`: prints the JSON Schema of scenarios, for editors. @returns 0 */
export function schemaCommand(host: Host): number {
  host.stdout.write(scenarioSchemaText());
  return EXIT.passed;
}
