import type { DeviceEffect, DeviceModel } from "../model.js";

/**
 * Declares a device model; checks nothing at run time, but gives a user's file its types:
 *
 * ```ts
 * const machine = setup({
 *   types: { context: {} as Context, events: {} as DeviceSignalEvent, input: {} as ModelInput },
 *   actions: deviceEffects,
 * }).createMachine({ ... });
 * export default defineDeviceModel({ name: "thermostat", description: "...", machine, signals: { ... } });
 * ```
 */
export const defineDeviceModel = (model: DeviceModel): DeviceModel => model;

type EffectParams<T extends DeviceEffect["type"]> = Extract<DeviceEffect, { type: T }>["params"];
type NamedEffect<T extends DeviceEffect["type"]> = (_: unknown, _params: EffectParams<T>) => void;

const named = (): void => undefined;

/**
 * The effects as actions of `setup()`. Their bodies are never run: a machine names an effect, the device
 * carries it out. All that matters here are the types of the parameters.
 */
export const deviceEffects: { readonly [T in DeviceEffect["type"]]: NamedEffect<T> } = {
  subscribe: named,
  publish: named,
  telemetry: named,
  getShadow: named,
  reportShadow: named,
  applyConfig: named,
  startNextJob: named,
  updateJob: named,
  setFirmware: named,
  reboot: named,
  leave: named,
  comeBack: named,
  goSilent: named,
  draw: named,
};
