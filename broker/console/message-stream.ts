import type { ServerResponse } from "node:http";
import type { ApplicationMessage } from "../message.js";

/** A page that does not keep up loses messages rather than the server its memory. */
const MAX_BUFFERED_BYTES = 1_048_576;
const MAX_SHOWN_BYTES = 4_096;

/** Messages as lines of JSON, for as long as the page listens. */
export class MessageStream {
  private lines: string[] | undefined = [];

  constructor(private readonly response: ServerResponse) {}

  /** What came with the subscription follows the headers. */
  begin(): void {
    const { response, lines = [] } = this;
    this.lines = undefined;
    response.writeHead(200, { "Content-Type": "application/x-ndjson; charset=utf-8" });
    response.flushHeaders();
    for (const line of lines) this.write(line);
  }

  take({ topic, payload, qos, retain }: ApplicationMessage): void {
    const shown = Buffer.from(payload.subarray(0, MAX_SHOWN_BYTES)).toString("utf8");
    const line = `${JSON.stringify({ topic, payload: shown, qos, retain })}\n`;
    if (this.lines === undefined) this.write(line);
    else this.lines.push(line);
  }

  private write(line: string): void {
    if (this.response.writableLength < MAX_BUFFERED_BYTES) this.response.write(line);
  }
}
