import { main } from "../../scenarios/cli/program.js";
import { memoryHost, type MemoryHostOptions } from "../scenarios/cli/memory-host.js";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Everything that is there afterwards, by path. */
  readonly files: ReadonlyMap<string, string>;
}

/** Runs the command in process, on a host in memory. */
export async function command(
  line: string,
  files: Readonly<Record<string, string>> = {},
  options: Omit<MemoryHostOptions, "argv"> = {},
): Promise<Outcome> {
  const memory = memoryHost(files, { ...options, argv: line.split(" ").filter(Boolean) });
  const code = await main(memory.host);
  return { code, ...memory.written, files: memory.files };
}

/** Ten sensors for two minutes, and whatever is added to the document. */
export const scenario = (name: string, added = "expect: [connections.online == 10]"): string => `version: 1
name: ${name}
tags: [smoke, ${name}]
fleet:
  - group: sensors
    model: builtin:temperature-sensor
    count: 10
    thingName: "${name}-{index:02}"
    telemetry: [{ name: climate, every: 10s, topic: "lab/{thingName}", qos: 1, payload: { seq: "{seq}" } }]
stages:
  - { name: ramp, duration: 10s, measure: false }
  - { name: steady, duration: 2m }
${added}
`;
