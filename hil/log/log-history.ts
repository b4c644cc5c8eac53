import { type LogLine, parsePrefix } from "./log-line.js";
import type { TextLine } from "./text-lane.js";

/**
 * The last lines of a board. Lines have absolute *positions*, so whoever reads along keeps a position as its cursor and
 * notices when lines went before it came to them.
 */
export class LogHistory {
  private readonly ring: LogLine[] = [];
  private next = 0;

  /** @param capacity Lines kept. */
  constructor(private readonly capacity = 2000) {}

  /** Position of the line that comes next. */
  get end(): number {
    return this.next;
  }

  /** Position of the oldest line that is kept. */
  get start(): number {
    return Math.max(0, this.next - this.capacity);
  }

  append(line: TextLine): LogLine {
    const entry = this.preview(line);
    this.ring[this.next % this.capacity] = entry;
    this.next += 1;
    return entry;
  }

  /** The line as it would be appended now: for what has no end yet. */
  preview(line: TextLine): LogLine {
    return { position: this.next, atUs: line.atUs, text: line.text, ...parsePrefix(line.text) };
  }

  /** Undefined when it is gone or has not come. */
  at(position: number): LogLine | undefined {
    return position < this.start || position >= this.next ? undefined : this.ring[position % this.capacity];
  }

  /** The newest lines, oldest first. */
  last(count: number): LogLine[] {
    const from = Math.max(this.start, this.next - Math.max(0, count));
    return Array.from({ length: this.next - from }, (_, i) => this.ring[(from + i) % this.capacity]!);
  }
}
