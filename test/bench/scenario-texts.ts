import { readFileSync } from "node:fs";

/** A scenario of the library with some of its text replaced. */
export function libraryScenario(
  name: string,
  replacements: readonly (readonly [string | RegExp, string])[] = [],
): string {
  let text = readFileSync(new URL(`../../../scenarios/library/${name}.yaml`, import.meta.url), "utf8");
  for (const [from, to] of replacements) {
    const isThere = typeof from === "string" ? text.includes(from) : from.test(text);
    if (!isThere) throw new Error(`${name}.yaml holds nothing like ${String(from)} any more`);
    text = text.replace(from, to);
  }
  return text;
}

/** Everything from the key `stages` on: benches bring their own stages and expect nothing. */
const STAGES_AND_ON = /^stages:[\s\S]*/m;

/** The fleet of smart-building with another size, arrival rate and stages. */
export const buildingScenario = (count: number, ratePerS: number, stages: string): string =>
  libraryScenario("smart-building", [
    ["count: 5000", `count: ${count}`],
    ["rate: 100/s", `rate: ${ratePerS}/s`],
    ["connectRate: 500/s", `connectRate: ${ratePerS * 2}/s`],
    ["t{index:04}", "t{index:06}"],
    [STAGES_AND_ON, stages],
  ]);

/** A fleet that connects and then says nothing until its keep-alive is due. */
export const idleScenario = (count: number, ratePerS: number, holdS: number): string => `version: 1
name: idle-fleet
seed: 42
clock: virtual
broker: { mode: embedded, limits: { connectRate: ${ratePerS * 2}/s } }
services: { shadows: true }
network:
  near: { latency: { dist: constant, value: 10ms }, loss: 0% }
fleet:
  - group: idle
    model: builtin:shadow-device
    count: ${count}
    thingName: "idle-{index:06}"
    network: near
    mqtt: { protocolVersion: 5, keepAlive: 1200s, cleanStart: false, sessionExpiry: 1h }
    connect: { arrival: { rate: ${ratePerS}/s } }
    reconnect: { policy: full-jitter, base: 1s, cap: 60s }
stages:
  - { name: ramp, duration: ${Math.ceil(count / ratePerS) + 2}s }
  - { name: hold, duration: ${holdS}s }
expect:
  - connections.online == ${count}
`;
