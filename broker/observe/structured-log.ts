import { type Clock, formatWallTime } from "fleetrig/kernel";
import { LogLimiter } from "./log-limiter.js";
import { visibleText } from "./visible-text.js";

/** From the quietest to the loudest. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** One of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line says besides its name. Never secrets, never payloads. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface StructuredLogOptions {
  readonly clock: Clock;
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
  /** `json` for programs, `text` for people. */
  readonly format: "json" | "text";
  /** Loudest level that is written. Default `info`. */
  readonly level?: LogLevel;
}

/** A log of one line per event, bounded per kind of event (see {@link LogLimiter}). */
export class StructuredLog {
  private readonly limiter: LogLimiter;
  private readonly threshold: number;

  constructor(private readonly options: StructuredLogOptions) {
    this.threshold = LOG_LEVELS.indexOf(options.level ?? "info");
    this.limiter = new LogLimiter(options.clock, (kind, suppressed) => {
      const [level, event] = kind.split(" ", 2) as [LogLevel, string];
      this.write(level, event, { suppressed, text: `${suppressed} more suppressed` });
    });
  }

  /** Would a line of this level be written? Saves building fields that nobody reads. */
  writes(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) <= this.threshold;
  }

  /**
   * Writes one line, unless too many of its kind came before it.
   * @param event Dotted name; `kind` is the event and its reason, and must not come from a client.
   */
  log(level: LogLevel, event: string, fields: LogFields): void {
    if (!this.writes(level)) return;
    const { reason } = fields;
    if (this.limiter.admits(reason === undefined ? `${level} ${event}` : `${level} ${event}:${reason}`))
      this.write(level, event, fields);
  }

  /** Tells what was held back; to be called last. */
  stop(): void {
    this.limiter.close();
  }

  private write(level: LogLevel, event: string, fields: LogFields): void {
    const time = formatWallTime(this.options.clock.wallMs());
    const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
    this.options.write(
      this.options.format === "json"
        ? JSON.stringify({
            time,
            level,
            event,
            ...Object.fromEntries(shown.map(([name, value]) => [name, visible(value)])),
          })
        : [time, level.padEnd(5), event, ...shown.map(([name, value]) => `${name}=${quoted(value)}`)].join(
            " ",
          ),
    );
  }
}

type Value = LogFields[string];

const visible = (value: Value): Value => (typeof value === "string" ? visibleText(value) : value);

function quoted(value: Value): string {
  const text = String(visible(value));
  return /^[^\s"=]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}
