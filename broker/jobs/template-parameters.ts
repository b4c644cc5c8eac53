import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { mapTexts } from "./job-documents.js";
import type { ManagedTemplate } from "./managed-templates.js";

type Parameters = Readonly<Record<string, string>>;

const PLACEHOLDER = /\$\{aws:iot:parameter:([a-zA-Z0-9_-]{1,128})\}/g;
const WHOLE = /^\$\{aws:iot:parameter:([a-zA-Z0-9_-]{1,128})\}$/;

/**
 * A managed template's document with the parameters' values in it. Members and entries that are nothing but an
 * optional parameter without a value are left out.
 * @throws CLOUD_INVALID_REQUEST for parameters that are missing or that the template does not have.
 */
export function fillIn(template: ManagedTemplate, parameters: Parameters): string {
  const values = new Map(Object.entries(parameters));
  const known = new Set(template.documentParameters.map(({ key }) => key));
  for (const key of values.keys()) {
    if (!known.has(key))
      throw invalid(template, `has no parameter ${key}`, `Its parameters are ${[...known].join(", ")}.`);
  }
  for (const { key, optional, regex } of template.documentParameters) {
    const value = values.get(key);
    if (value === undefined && !optional) throw invalid(template, `needs the parameter ${key}`);
    if (value !== undefined && !new RegExp(`^(?:${regex})$`, "s").test(value))
      throw invalid(template, `has ${key} as ${regex}`);
  }
  const kept = withoutAbsent(JSON.parse(template.document) as JsonValue, values);
  const filled = mapTexts(kept ?? {}, (text) =>
    text.replace(PLACEHOLDER, (_, key: string) => values.get(key) ?? ""),
  );
  return JSON.stringify(filled);
}

function withoutAbsent(value: JsonValue, values: ReadonlyMap<string, string>): JsonValue | undefined {
  if (typeof value === "string") {
    const key = WHOLE.exec(value)?.[1];
    return key !== undefined && !values.has(key) ? undefined : value;
  }
  if (Array.isArray(value)) return value.flatMap((item: JsonValue) => withoutAbsent(item, values) ?? []);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) => {
      const kept = withoutAbsent(item, values);
      return kept === undefined ? [] : [[name, kept] as const];
    }),
  );
}

const invalid = ({ templateName }: ManagedTemplate, fault: string, hint?: string): Error =>
  cloudError("InvalidRequestException", `${templateName} ${fault}.`, hint === undefined ? {} : { hint });
