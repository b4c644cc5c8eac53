import { posix } from "node:path";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type Host, writeLine } from "../host.js";
import { refuseUsage } from "../load-files.js";

const DEFAULT_FILE = "scenario.yaml";

/**
 * `fleetrig init [file]`: writes a scenario to start from; never overwrites.
 * @returns 0, or 2 when the file exists or its name does not fit
 */
export function initCommand(host: Host, file: string = DEFAULT_FILE): number {
  if (!/\.ya?ml$/.test(file))
    return refuseUsage(
      host,
      `${file} is not the name of a scenario file.`,
      `Write fleetrig init ${DEFAULT_FILE}.`,
    );
  try {
    host.files.writeFile(file, starter(nameFor(file)), { exclusive: true });
  } catch (error) {
    if (!(error instanceof FleetrigError) || error.code !== "CLI_FILE_EXISTS") throw error;
    return refuseUsage(host, `${file} exists already.`, "Choose another name; init never overwrites.");
  }
  writeLine(host.stdout, `Wrote ${file}.`);
  writeLine(host.stdout, `Check it with fleetrig validate ${file}, run it with fleetrig run ${file}.`);
  return EXIT.passed;
}

/** A scenario name out of a file name. */
function nameFor(file: string): string {
  const name = posix
    .basename(file)
    .replace(/\.ya?ml$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return name === "" ? "my-scenario" : name.slice(0, 100);
}

const SCHEMA = "./node_modules/fleetrig/scenarios/scenario.schema.json";

const starter = (name: string): string => `# yaml-language-server: $schema=${SCHEMA}
version: 1
name: ${name}
description: 100 sensors lose their connection for 30 s; nothing may get lost and nobody may stay away.
seed: 42
clock: virtual                    # virtual: reproducible, faster than time | real: sockets and the wall clock

network:
  wifi: { latency: { dist: lognormal, median: 40ms, p99: 180ms }, loss: 0.1% }

fleet:
  - group: sensors
    model: builtin:temperature-sensor
    count: 100
    thingName: "sensor-{index:03}"
    network: wifi
    mqtt: { protocolVersion: 5, keepAlive: 60s, cleanStart: false, sessionExpiry: 1h }
    connect: { arrival: { rate: 20/s } }
    reconnect: { policy: full-jitter, base: 1s, cap: 30s }
    telemetry:
      - name: climate
        every: 10s
        topic: "site/{thingName}/climate"
        qos: 1
        payload: { thing: "{thingName}", temperature: "{state.temperature}", seq: "{seq}" }

stages:
  - name: ramp
    duration: 30s
    measure: false                # stays in the trace, counts in no metric
  - name: steady
    duration: 2m
  - name: outage
    duration: 2m
    actions:
      - at: 10s
        disconnect: { id: outage, select: { group: sensors, percent: 40% }, mode: ungraceful, hold: 30s }
  - name: drain
    duration: 30s
    measure: false

expect:
  - telemetry.published{stage=steady} == 1200
  - connections.lost{action=outage} == 40
  - reconnect.time{action=outage} max < 90s
  - delivery.lost{qos=1} == 0
  - latency.e2e{stage=steady} p(99) < 500ms
`;
