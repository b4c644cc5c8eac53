import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { EXIT, FleetrigError, isJsonObject, nearestName } from "fleetrig/kernel";
import type { DeviceModel } from "../model.js";
import { otaDevice } from "./ota-device.js";
import { shadowDevice } from "./shadow-device.js";
import { temperatureSensor } from "./temperature-sensor.js";

/** The models that come with fleetrig, by the name after `builtin:`. */
export const BUILTIN_MODELS: Readonly<Record<string, DeviceModel>> = Object.freeze(
  Object.fromEntries([temperatureSensor, shadowDevice, otaDevice].map((model) => [model.name, model])),
);

const BUILTIN = "builtin:";
const TYPESCRIPT = /\.[cm]?ts$/;

/**
 * Finds the model that a scenario names: `builtin:<name>`, or a file with its export, as in
 * `./models/thermostat.machine.ts#default`. For load time only: it reads files and runs their code.
 * @param baseDirectory What relative paths are relative to: the scenario's folder.
 * @throws {FleetrigError} MODEL_UNKNOWN, MODEL_FILE_FAILED, MODEL_NOT_EXPORTED, MODEL_INVALID
 */
export async function resolveModel(reference: string, baseDirectory: string): Promise<DeviceModel> {
  if (reference.startsWith(BUILTIN)) return builtin(reference.slice(BUILTIN.length));
  const [file = "", exportName = "default"] = reference.split("#", 2);
  const module = await load(resolve(baseDirectory, file), reference);
  if (!Object.hasOwn(module, exportName)) {
    throw usage("MODEL_NOT_EXPORTED", `${file} exports no "${exportName}".`, {
      hint: `It exports: ${Object.keys(module).join(", ") || "nothing"}.`,
    });
  }
  return asModel(module[exportName], reference);
}

function builtin(name: string): DeviceModel {
  const model = Object.hasOwn(BUILTIN_MODELS, name) ? BUILTIN_MODELS[name] : undefined;
  if (model !== undefined) return model;
  const names = Object.keys(BUILTIN_MODELS);
  const nearest = nearestName(name, names);
  throw usage("MODEL_UNKNOWN", `There is no built-in model "${name}".`, {
    hint: nearest === undefined ? `There are: ${names.join(", ")}.` : `Did you mean builtin:${nearest}?`,
  });
}

async function load(path: string, reference: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(path).href;
  try {
    if (!TYPESCRIPT.test(path)) return (await import(url)) as Record<string, unknown>;
    const { tsImport } = await import("tsx/esm/api");
    return exportsOf((await tsImport(url, import.meta.url)) as Record<string, unknown>);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usage("MODEL_FILE_FAILED", `The model ${reference} could not be loaded: ${reason}`, {
      hint: /Cannot find (?:package|module) '(?:@[\w-]+\/)?[\w-]+'/.test(reason)
        ? "Install the package where the model's file is: npm install xstate."
        : "Paths are relative to the scenario's file.",
      cause,
    });
  }
}

/** Without `"type": "module"` beside it, TypeScript becomes CommonJS, and its exports are the default one's. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const { default: inner } = module;
  const isCommonJs = typeof inner === "object" && inner !== null && "__esModule" in inner;
  return isCommonJs ? inner : module;
}

/** A bare machine is a model without signals. */
function asModel(value: unknown, reference: string): DeviceModel {
  if (isMachine(value)) return { name: reference, description: "", machine: value, signals: {} };
  if (isJsonObject(value) && typeof value["name"] === "string") {
    const { machine, signals = {} } = value as Partial<DeviceModel>;
    if (isMachine(machine) && isJsonObject(signals)) {
      return { ...(value as unknown as DeviceModel), signals };
    }
  }
  throw usage("MODEL_INVALID", `The export of ${reference} is not a device model.`, {
    hint: "Export defineDeviceModel({ name, description, machine, signals }) or an xstate machine.",
  });
}

/** By shape: the file may have brought its own copy of xstate. */
const isMachine = (value: unknown): value is DeviceModel["machine"] =>
  typeof value === "object" &&
  value !== null &&
  "transition" in value &&
  "getInitialSnapshot" in value &&
  "root" in value;

const usage = (code: string, message: string, details: { hint: string; cause?: unknown }): FleetrigError =>
  new FleetrigError(code, message, { ...details, exitCode: EXIT.usage });
