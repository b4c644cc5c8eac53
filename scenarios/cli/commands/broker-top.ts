import { type Clock, EXIT, LANE, RealTime } from "fleetrig/kernel";
import pc from "picocolors";
import { type BrokerSnapshot, BrokerWatch } from "../broker/broker-watch.js";
import { topFigures } from "../broker/top-figures.js";
import { renderTop } from "../broker/top-view.js";
import { consoleOptions, type Host, writeLine } from "../host.js";

/** What the command line says. */
export interface BrokerTopOptions {
  readonly url: string;
  readonly token?: string;
  readonly once?: boolean;
  readonly json?: boolean;
  /** Time between two looks, in µs. */
  readonly interval: number;
}

/** Where the token comes from when `--token` does not say: a command line is everybody's to read. */
export const TOKEN_VARIABLE = "FLEETRIG_HTTP_TOKEN";

const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
const CLEAR_ALL = "\u001b[2J";

/**
 * `fleetrig broker top`: what a broker does, again and again until it is interrupted. On a terminal each view takes
 * the place of the one before; elsewhere they follow each other.
 * @returns 0
 */
export async function brokerTopCommand(host: Host, options: BrokerTopOptions): Promise<number> {
  const { url, once = false, json = false, interval } = options;
  const token = options.token ?? host.env[TOKEN_VARIABLE];
  const time = new RealTime();
  const watch = new BrokerWatch({ url, token, nowUs: () => time.nowUs() });
  const pause = new Pause(time.lane(LANE.harness));
  const stopListening = host.onSignal(() => pause.end());
  const isLive = host.stdout.isTTY && !once && !json;
  try {
    let before = await watch.snapshot();
    if (isLive) host.stdout.write(CLEAR_ALL);
    // Rates take two looks, so the first view comes after one interval.
    while (await pause.take(interval)) {
      const now = await watch.snapshot();
      show(host, { now, before, url, isLive, json });
      before = now;
      if (once) break;
    }
    return EXIT.passed;
  } finally {
    stopListening();
    time.stop();
  }
}

interface Shown {
  readonly now: BrokerSnapshot;
  readonly before: BrokerSnapshot;
  readonly url: string;
  readonly isLive: boolean;
  readonly json: boolean;
}

function show(host: Host, { now, before, url, isLive, json }: Shown): void {
  const figures = topFigures(now, before);
  if (json) {
    writeLine(host.stdout, JSON.stringify(figures));
    return;
  }
  const { color } = consoleOptions(host);
  const { bold } = pc.createColors(color);
  const lines = renderTop(figures, { url, width: host.stdout.columns, bold });
  if (isLive) host.stdout.write(HOME + lines.map((line) => `${line}${CLEAR_LINE}\n`).join("") + CLEAR_BELOW);
  else host.stdout.write(`${lines.join("\n")}\n\n`);
}

/** Waits between two looks, for as long as nobody interrupts. */
class Pause {
  private isOver = false;
  private wake: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** @returns false when it was ended. */
  take(durationUs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (): void => resolve(!this.isOver);
      this.wake = done;
      if (this.isOver) done();
      else this.clock.after(durationUs, done);
    });
  }

  end(): void {
    this.isOver = true;
    this.wake?.();
  }
}
