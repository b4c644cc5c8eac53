import type { PayloadFormat } from "./provisioning-topics.js";

/** What the target of a command is known by. */
export type CommandTargetKind = "things" | "clients";

/** The cloud's request, the device's response, and the cloud's answer to that (REF §7). */
export type CommandMessage = "request" | "response" | "accepted" | "rejected";

/** A topic of `$aws/commands/<kind>/<target>/executions/<execution>/…`. */
export interface CommandTopic {
  readonly service: "commands";
  readonly targetKind: CommandTargetKind;
  /** Thing name or client id. */
  readonly target: string;
  readonly executionId: string;
  readonly message: CommandMessage;
  /** Undefined for requests whose payload is neither, and for their responses. */
  readonly format: PayloadFormat | undefined;
}

const TOPIC =
  /^\$aws\/commands\/(things|clients)\/([^/+#]{1,128})\/executions\/([a-zA-Z0-9_-]{1,64})\/(request|response(?:\/accepted|\/rejected)?)(?:\/(json|cbor))?$/u;

/** Reads a topic of commands; undefined for every other topic. */
export function parseCommandTopic(topic: string): CommandTopic | undefined {
  const match = TOPIC.exec(topic);
  if (match === null) return undefined;
  const [, targetKind, target, executionId, path, format] = match;
  return {
    service: "commands",
    targetKind: targetKind as CommandTargetKind,
    target: target!,
    executionId: executionId!,
    message: path!.slice(path!.indexOf("/") + 1) as CommandMessage,
    format: format as PayloadFormat | undefined,
  };
}

/** Inverse of `parseCommandTopic`. */
export function formatCommandTopic(topic: CommandTopic): string {
  const { targetKind, target, executionId, message, format } = topic;
  const path = message === "accepted" || message === "rejected" ? `response/${message}` : message;
  const base = `$aws/commands/${targetKind}/${target}/executions/${executionId}/${path}`;
  return format === undefined ? base : `${base}/${format}`;
}
