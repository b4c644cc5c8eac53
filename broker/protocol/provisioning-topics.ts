/** How the payloads of a topic are written: its last level before `accepted` and `rejected`. */
export type PayloadFormat = "json" | "cbor";

/** What fleet provisioning does for a client that publishes (REF §11.3). */
export type ProvisioningOperation = "create-keys" | "create-from-csr" | "register-thing";

/** A topic of `$aws/certificates/…` or `$aws/provisioning-templates/…`. */
export interface ProvisioningTopic {
  readonly service: "provisioning";
  readonly operation: ProvisioningOperation;
  /** Only for register-thing. */
  readonly templateName: string | undefined;
  readonly format: PayloadFormat;
  readonly message: "request" | "accepted" | "rejected";
}

/** AWS: 1 to 36 letters, digits, underscores and hyphens. */
export const isTemplateName = (text: string): boolean => /^[0-9A-Za-z_-]{1,36}$/.test(text);

const CERTIFICATES = "$aws/certificates/";
const TEMPLATES = "$aws/provisioning-templates/";

const CREATE_PATHS: ReadonlyMap<string, ProvisioningOperation> = new Map([
  ["create", "create-keys"],
  ["create-from-csr", "create-from-csr"],
]);
const FORMATS: ReadonlySet<string> = new Set<PayloadFormat>(["json", "cbor"]);

/** Reads a topic of fleet provisioning; undefined for every other topic. */
export function parseProvisioningTopic(topic: string): ProvisioningTopic | undefined {
  if (topic.startsWith(CERTIFICATES)) {
    const [path = "", ...rest] = topic.slice(CERTIFICATES.length).split("/", 4);
    const operation = CREATE_PATHS.get(path);
    return operation && complete({ operation, templateName: undefined }, rest);
  }
  if (!topic.startsWith(TEMPLATES)) return undefined;
  const [templateName = "", verb, ...rest] = topic.slice(TEMPLATES.length).split("/", 5);
  if (verb !== "provision" || !isTemplateName(templateName)) return undefined;
  return complete({ operation: "register-thing", templateName }, rest);
}

function complete(
  what: Pick<ProvisioningTopic, "operation" | "templateName">,
  [format = "", answer, ...rest]: readonly string[],
): ProvisioningTopic | undefined {
  if (rest.length > 0 || !FORMATS.has(format)) return undefined;
  if (answer !== undefined && answer !== "accepted" && answer !== "rejected") return undefined;
  return { service: "provisioning", ...what, format: format as PayloadFormat, message: answer ?? "request" };
}

/** Inverse of `parseProvisioningTopic`. */
export function formatProvisioningTopic(topic: ProvisioningTopic): string {
  const path =
    topic.operation === "register-thing"
      ? `${TEMPLATES}${topic.templateName}/provision`
      : `${CERTIFICATES}${topic.operation === "create-keys" ? "create" : "create-from-csr"}`;
  const base = `${path}/${topic.format}`;
  return topic.message === "request" ? base : `${base}/${topic.message}`;
}
