import { EXIT, FleetrigError, type JsonValue } from "fleetrig/kernel";
import { isLoopbackHost } from "../listeners/web-origin.js";

/** What a hook is told besides its event: the part of a Lambda function's context that makes sense here. */
export interface HookContext {
  readonly functionName: string;
  /** As it is configured where the hook is used. */
  readonly invokedFunctionArn: string;
  readonly awsRequestId: string;
}

/**
 * A hook in this process. Its answer is JSON, as of a Lambda function. In virtual time it must answer at once: nothing
 * waits for promises there.
 */
export type HookFunction = (event: JsonValue, context: HookContext) => unknown;

/**
 * What stands behind the name of a function: a function of this process, a module (`./hooks/authorize.ts`, or
 * `./hooks.ts#export`), or an HTTP endpoint that gets the event as JSON by POST.
 */
export type HookTarget = HookFunction | string;

/** A target, understood. */
export type ParsedTarget =
  | { readonly kind: "function"; readonly run: HookFunction }
  | { readonly kind: "module"; readonly file: string; readonly exportName: string | undefined }
  | { readonly kind: "http"; readonly url: URL };

/** @throws {FleetrigError} HOOK_TARGET_INVALID */
export function parseTarget(name: string, target: HookTarget, allowsRemote: boolean): ParsedTarget {
  if (typeof target === "function") return { kind: "function", run: target };
  if (!/^[a-z][a-z0-9+.-]{1,20}:\/\//i.test(target)) {
    const [file = "", exportName] = target.split("#", 2);
    if (file === "") throw invalid(name, "It names no file.");
    return { kind: "module", file, exportName };
  }
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw invalid(name, "Endpoints are http:// or https://.");
  if (!allowsRemote && !isLoopbackHost(hostOf(url)))
    throw invalid(
      name,
      `${url.hostname} is not this machine, and events hold what devices authenticate with.`,
    );
  return { kind: "http", url };
}

/** Without the brackets of IPv6. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

const invalid = (name: string, sentence: string): FleetrigError =>
  new FleetrigError("HOOK_TARGET_INVALID", `The hook ${JSON.stringify(name)} cannot be used: ${sentence}`, {
    hint: "Write a path such as ./hooks/authorize.ts, or http://127.0.0.1:3000/; other machines must be allowed.",
    exitCode: EXIT.usage,
  });

const LAMBDA =
  /^arn:[a-z-]{1,20}:lambda:[a-z0-9-]{0,32}:\d{0,12}:function:([A-Za-z0-9_-]{1,140})(?::[^:]{1,128})?$/;

/** The bare name in the ARN of a Lambda function; anything else is a name already. */
export const functionNameOf = (arn: string): string => LAMBDA.exec(arn)?.[1] ?? arn;
