import { type Clock, LoopDelayProbe, type Service, type Timer, US_PER_S } from "fleetrig/kernel";
import { type ClientPage, type ClientQuery, listClients } from "./client-readings.js";
import { type Health, readHealth } from "./health.js";
import type { ObservedServer } from "./observed-server.js";
import { createPrometheusMetrics, type PrometheusMetrics } from "./prometheus.js";
import { readServer, type ServerReading } from "./server-reading.js";
import { listSlowSubscribers, type SlowQuery, type SlowSubscriber } from "./slow-subscribers.js";
import { SysTopics } from "./sys-topics.js";

/** How a server is watched. */
export interface ObservatoryOptions {
  /** How often `$SYS` topics are published, in seconds; 0 for never. Default 10. Profile `aws` has none. */
  readonly sysIntervalS?: number;
}

const DEFAULT_SYS_INTERVAL_S = 10;
/** The event loop's delay is that of the last complete window of at least this length. */
const WINDOW_US = 10 * US_PER_S;

/** Everything there is to see of one server. Readings are taken when asked for, `$SYS` topics by its own timer. */
export class Observatory implements Service {
  private readonly clock: Clock;
  private readonly startedAtUs: number;
  private readonly loopDelay = new LoopDelayProbe();
  private windowEndUs: number;
  private timer: Timer | undefined;
  private prometheus: Promise<PrometheusMetrics> | undefined;

  constructor(
    private readonly server: ObservedServer,
    { sysIntervalS = DEFAULT_SYS_INTERVAL_S }: ObservatoryOptions = {},
  ) {
    this.clock = server.clock;
    this.startedAtUs = this.clock.nowUs();
    this.windowEndUs = this.startedAtUs + WINDOW_US;
    if (server.profile === "aws" || sysIntervalS <= 0) return;
    const topics = new SysTopics(server, this.clock);
    topics.publish(this.reading());
    const timer = this.clock.after(sysIntervalS * US_PER_S, () => {
      topics.publish(this.reading());
      timer.again(sysIntervalS * US_PER_S);
    });
    this.timer = timer;
  }

  reading(): ServerReading {
    const nowUs = this.clock.nowUs();
    if (nowUs >= this.windowEndUs) {
      this.loopDelay.rotate();
      this.windowEndUs = nowUs + WINDOW_US;
    }
    return readServer(this.server, {
      startedAtUs: this.startedAtUs,
      loopDelay: this.loopDelay.reading,
    });
  }

  health(): Health {
    return readHealth(this.server);
  }

  clients(query?: ClientQuery): ClientPage {
    return listClients(this.server.broker.sessions(), this.clock, query);
  }

  slowSubscribers(query?: SlowQuery): SlowSubscriber[] {
    return listSlowSubscribers(this.server.broker.sessions(), this.clock, query);
  }

  /** In the text format of Prometheus. */
  async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.prometheus ??= createPrometheusMetrics(this.server);
    const { contentType, render } = await this.prometheus;
    return { contentType, text: await render(this.reading()) };
  }

  stop(): Promise<void> {
    this.timer?.cancel();
    this.loopDelay.stop();
    return Promise.resolve();
  }
}
