import { type CommandTopic, encodeCbor, formatReservedTopic } from "fleetrig/protocol";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus } from "../message-bus.js";
import { type CommandErrorCode, type CommandResponse, readResponse } from "./command-response.js";

const REASONS: Readonly<Partial<Record<CommandErrorCode, string>>> = {
  ResourceNotFound: "There is no such execution of this target.",
  TerminalStateReached: "The execution has ended before.",
};

/** Reads what devices respond and tells them whether it was accepted. */
export class CommandAnswers {
  constructor(private readonly bus: MessageBus) {}

  /** @param apply Takes a response over, or says why not. */
  answer(
    message: ApplicationMessage,
    topic: CommandTopic,
    apply: (response: CommandResponse) => CommandErrorCode | undefined,
  ): void {
    const { executionId } = topic;
    const reading = readResponse(message, topic.format);
    const refusal = reading.ok ? apply(reading.response) : reading.code;
    if (refusal === undefined) return this.send(message, { ...topic, message: "accepted" }, { executionId });
    const errorMessage = reading.ok ? (REASONS[refusal] ?? refusal) : reading.message;
    this.send(message, { ...topic, message: "rejected" }, { error: refusal, errorMessage, executionId });
  }

  private send(
    { publisher, qos }: ApplicationMessage,
    topic: CommandTopic,
    body: Readonly<Record<string, string>>,
  ): void {
    this.bus.sendDirect(publisher!, {
      topic: formatReservedTopic(topic),
      payload: topic.format === "cbor" ? encodeCbor(body) : JSON.stringify(body),
      qos: qos === 0 ? 0 : 1,
    });
  }
}
