import type { ClientPage, ClientReading, Health, SlowSubscriber } from "fleetrig/broker";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { type MetricSample, parsePrometheusText } from "./prometheus-text.js";

/** What a broker says of itself at one moment. */
export interface BrokerSnapshot {
  /** When it was asked, in µs of the asker's clock. */
  readonly atUs: number;
  readonly health: Health;
  readonly samples: readonly MetricSample[];
  /** Those who sent most and those who were sent most. */
  readonly clients: readonly ClientReading[];
  readonly slow: readonly SlowSubscriber[];
}

export interface BrokerWatchOptions {
  /** Of the HTTP endpoint, without a path. */
  readonly url: string;
  readonly token: string | undefined;
  readonly nowUs: () => number;
}

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 16 * 1_048_576;
const CLIENTS = 50;
const SLOW = 10;

/** Asks a broker's HTTP endpoint. */
export class BrokerWatch {
  constructor(private readonly options: BrokerWatchOptions) {}

  /** @throws FleetrigError `BROKER_TOP_UNREACHABLE`, `BROKER_TOP_TOKEN`, `BROKER_TOP_ANSWER` */
  async snapshot(): Promise<BrokerSnapshot> {
    const atUs = this.options.nowUs();
    const [health, metrics, senders, receivers, slow] = await Promise.all([
      this.ask("/health"),
      this.ask("/metrics"),
      this.ask(`/clients?sort=receivedMessages&limit=${CLIENTS}`),
      this.ask(`/clients?sort=sentMessages&limit=${CLIENTS}`),
      this.ask(`/slow-subscribers?limit=${SLOW}`),
    ]);
    const clients = [senders, receivers].flatMap((text) => (this.read(text) as ClientPage).clients);
    return {
      atUs,
      health: this.read(health) as Health,
      samples: parsePrometheusText(metrics),
      clients: Array.from(new Map(clients.map((client) => [client.clientId, client])).values()),
      slow: (this.read(slow) as { readonly slowSubscribers: readonly SlowSubscriber[] }).slowSubscribers,
    };
  }

  private async ask(path: string): Promise<string> {
    const { url, token } = this.options;
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, url), {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await boundedText(response);
    } catch (cause) {
      throw new FleetrigError("BROKER_TOP_UNREACHABLE", `Nothing answers at ${url}.`, {
        hint: "Start the broker with --http 127.0.0.1:9090, and give its address with --url.",
        cause,
      });
    }
    if (response.status === 401)
      throw new FleetrigError("BROKER_TOP_TOKEN", `${url} wants another token.`, {
        hint: "Give the one shown at the broker's start with --token or FLEETRIG_HTTP_TOKEN.",
        exitCode: EXIT.usage,
      });
    // 503 is how a broker says that it is not well; it says the rest all the same.
    if (response.status !== 200 && response.status !== 503) throw this.oddAnswer(`status ${response.status}`);
    return text;
  }

  private read(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw this.oddAnswer("no JSON");
    }
  }

  private oddAnswer(what: string): FleetrigError {
    return new FleetrigError("BROKER_TOP_ANSWER", `${this.options.url} answers with ${what}.`, {
      hint: "Is that the HTTP endpoint of a fleetrig broker of this version?",
    });
  }
}

/** Reads no more than asked for, whatever the other side sends. */
async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_ANSWER_BYTES) break;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
