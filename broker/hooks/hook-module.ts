import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { HookFunction } from "./hook-target.js";

const TYPESCRIPT = /\.[cm]?ts$/;
/** Tried in this order where no export is named; `handler` is what Lambda functions call it. */
const USUAL_EXPORTS = ["handler", "default"] as const;

/**
 * Loads the function of a module, as the models of scenarios are: TypeScript runs as it is.
 * @throws {FleetrigError} HOOK_MODULE_FAILED, HOOK_NOT_EXPORTED
 */
export async function loadHook(
  { file, exportName }: { readonly file: string; readonly exportName: string | undefined },
  baseDirectory: string,
): Promise<HookFunction> {
  const module = await load(file, baseDirectory);
  const names = exportName === undefined ? USUAL_EXPORTS : [exportName];
  for (const name of names) {
    const value = Object.hasOwn(module, name) ? module[name] : undefined;
    if (typeof value === "function") return value as HookFunction;
  }
  throw new FleetrigError("HOOK_NOT_EXPORTED", `${file} exports no function ${names.join(" or ")}.`, {
    hint: `It exports: ${Object.keys(module).join(", ") || "nothing"}. Others are named as in ./hooks.ts#name.`,
    exitCode: EXIT.usage,
  });
}

async function load(file: string, baseDirectory: string): Promise<Record<string, unknown>> {
  const path = resolve(baseDirectory, file);
  const url = pathToFileURL(path).href;
  try {
    if (!TYPESCRIPT.test(path)) return exportsOf((await import(url)) as Record<string, unknown>);
    const { tsImport } = await import("tsx/esm/api");
    return exportsOf((await tsImport(url, import.meta.url)) as Record<string, unknown>);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FleetrigError("HOOK_MODULE_FAILED", `The hook ${file} could not be loaded: ${reason}`, {
      hint: "Paths are relative to the folder that the command was started in.",
      exitCode: EXIT.usage,
      cause,
    });
  }
}

/** The exports of a CommonJS module are the members of its default one. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const { default: inner } = module;
  const isCommonJs = typeof inner === "object" && inner !== null;
  return isCommonJs ? { ...(inner as Record<string, unknown>), ...module } : module;
}
