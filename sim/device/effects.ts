import { jobsTopicPrefix, shadowTopicPrefix } from "fleetrig/protocol";
import { EXIT, FleetrigError, type JsonObject, type JsonValue, nearestName } from "fleetrig/kernel";
import type { DeviceEffect } from "../model.js";

/** What effects do things with. */
export interface EffectTarget {
  readonly name: string;
  subscribe(filters: readonly string[]): void;
  publishText(message: { topic: string; text: string; qos: 0 | 1; retain: boolean }): void;
  configureTelemetry(wanted: { enabled?: boolean; everyUs?: number; slowdown?: number }): void;
  applyConfig(shadowName: string | undefined, config: JsonObject): void;
  setFirmware(version: string): void;
  reboot(downUs: number): void;
  leave(): void;
  comeBack(): void;
  goSilent(): void;
  draw(purpose: string): void;
}

type Params<T extends DeviceEffect["type"]> = Extract<DeviceEffect, { type: T }>["params"];

/** How each effect of a machine is carried out. */
const HANDLERS: { readonly [T in DeviceEffect["type"]]: (target: EffectTarget, params: Params<T>) => void } =
  {
    subscribe: (target, { filters }) => target.subscribe(filters),
    publish: (target, { topic, payload, qos, retain = false }) =>
      target.publishText({
        topic,
        text: typeof payload === "string" ? payload : JSON.stringify(payload),
        qos,
        retain,
      }),
    telemetry: (target, params) => target.configureTelemetry(params),
    getShadow: (target, { shadowName }) =>
      request(target, `${shadowTopicPrefix(target.name, shadowName)}/get`, undefined),
    reportShadow: (target, { shadowName, reported }) =>
      request(target, `${shadowTopicPrefix(target.name, shadowName)}/update`, { state: { reported } }),
    applyConfig: (target, { shadowName, config }) => target.applyConfig(shadowName, config),
    startNextJob: (target, { statusDetails }) =>
      request(
        target,
        `${jobsTopicPrefix(target.name)}/start-next`,
        statusDetails === undefined ? {} : { statusDetails },
      ),
    updateJob: (target, { jobId, ...update }) =>
      request(target, `${jobsTopicPrefix(target.name)}/${jobId}/update`, update),
    setFirmware: (target, { version }) => target.setFirmware(version),
    reboot: (target, { downUs }) => target.reboot(downUs),
    leave: (target) => target.leave(),
    comeBack: (target) => target.comeBack(),
    goSilent: (target) => target.goSilent(),
    draw: (target, { purpose }) => target.draw(purpose),
  };

const EFFECTS = new Map(Object.entries(HANDLERS)) as ReadonlyMap<
  string,
  (target: EffectTarget, params: unknown) => void
>;

/** @throws {FleetrigError} MODEL_UNKNOWN_EFFECT when a machine names an action that is no effect */
export function carryOut(target: EffectTarget, type: string, params: unknown): void {
  const handler = EFFECTS.get(type);
  if (handler === undefined) {
    const nearest = nearestName(type, [...EFFECTS.keys()]);
    throw new FleetrigError("MODEL_UNKNOWN_EFFECT", `The machine of ${target.name} asks for "${type}".`, {
      hint:
        nearest === undefined
          ? `Devices can do: ${[...EFFECTS.keys()].join(", ")}.`
          : `Did you mean "${nearest}"?`,
      context: { thing: target.name, effect: type },
      exitCode: EXIT.usage,
    });
  }
  handler(target, params ?? {});
}

/** A request to a cloud service: QoS 1, so that it survives the loss of the connection. */
function request(target: EffectTarget, topic: string, body: JsonValue | undefined): void {
  target.publishText({ topic, text: body === undefined ? "" : JSON.stringify(body), qos: 1, retain: false });
}
