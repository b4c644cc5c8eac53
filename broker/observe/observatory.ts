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
/** The window of the event loop's delay when no `$SYS` topics are published. */
const WINDOW_S = 10;

/** Everything there is to see of one server. Readings are taken when asked for, `$SYS` topics by its own timer. */
export class Observatory implements Service {
  private readonly clock: Clock;
  private readonly startedAtUs: number;
  private readonly loopDelay = new LoopDelayProbe();
  private readonly timers: Timer[] = [];
  private prometheus: Promise<PrometheusMetrics> | undefined;

  constructor(
    private readonly server: ObservedServer,
    { sysIntervalS = DEFAULT_SYS_INTERVAL_S }: ObservatoryOptions = {},
  ) {
    this.clock = server.clock;
    this.startedAtUs = this.clock.nowUs();
    this.every(WINDOW_S, () => this.loopDelay.rotate());
    if (server.profile === "aws" || sysIntervalS <= 0) return;
    const topics = new SysTopics(server, this.clock);
    topics.publish(this.reading());
    this.every(sysIntervalS, () => topics.publish(this.reading()));
  }

  reading(): ServerReading {
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
    for (const timer of this.timers) timer.cancel();
    this.timers.length = 0;
    this.loopDelay.stop();
    return Promise.resolve();
  }

  private every(intervalS: number, task: () => void): void {
    const timer = this.clock.after(intervalS * US_PER_S, () => {
      task();
      timer.again(intervalS * US_PER_S);
    });
    this.timers.push(timer);
  }
}
