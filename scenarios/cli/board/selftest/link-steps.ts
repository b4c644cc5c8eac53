import { formatDurationUs, FleetrigError, US_PER_S } from "fleetrig/kernel";
import {
  failed,
  passed,
  quantile,
  type SelftestBench,
  type SelftestStep,
  type StepOutcome,
} from "./selftest-step.js";

/** Around every border that there is: of messages, of frames, of what a board can hold. */
const ECHO_BYTES = [0, 1, 2, 31, 32, 239, 240, 241, 479, 480, 481, 1_000, 2_000, 4_000, 5_500];
/** Commands under way at the same time. */
const LOADERS = 4;
const LOAD_BYTES = 200;
/** Figures that a good cable stays far away from. */
const MAX_UNCERTAINTY_US = 5_000;
const CLOCK_US = 10 * US_PER_S;
const LINE_US = 2 * US_PER_S;

/** Differs from its neighbours everywhere, so that nothing can be lost or swapped unseen. */
const pattern = (bytes: number, start = 0): string =>
  Array.from({ length: bytes }, (_, at) => String.fromCharCode(0x21 + ((start + at * 7) % 90))).join("");

async function echo({ terminal }: SelftestBench): Promise<StepOutcome> {
  for (const bytes of ECHO_BYTES) {
    const data = pattern(bytes, bytes);
    if ((await terminal.link.command("echo", { data })) !== data)
      return failed(`${bytes} bytes came back as others`, { bytes });
  }
  return passed(`${ECHO_BYTES.length} sizes from 0 to ${ECHO_BYTES.at(-1)} bytes came back as they were`);
}

async function load(bench: SelftestBench): Promise<StepOutcome> {
  const { clock, terminal, loadUs } = bench;
  const { counters } = terminal.link;
  const before = { ...counters };
  const roundTripsUs: number[] = [];
  let lost = 0;
  let wrong = 0;
  const endUs = clock.nowUs() + loadUs;
  const one = async (loader: number): Promise<void> => {
    for (let number = 0; clock.nowUs() < endUs; number += 1) {
      const data = pattern(LOAD_BYTES, loader + number);
      const sinceUs = clock.nowUs();
      try {
        if ((await terminal.link.command("echo", { data })) === data)
          roundTripsUs.push(clock.nowUs() - sinceUs);
        else wrong += 1;
      } catch (error) {
        if (!(error instanceof FleetrigError)) throw error;
        lost += 1;
        if (!(await terminal.until(() => terminal.link.isOpen, US_PER_S))) return;
      }
    }
  };
  await Promise.all(Array.from({ length: LOADERS }, (_, loader) => one(loader)));
  const retransmissions =
    counters.repeatedByTimeout + counters.repeatedByAck - before.repeatedByTimeout - before.repeatedByAck;
  const damaged = counters.badFrames + counters.cutFrames - before.badFrames - before.cutFrames;
  const bytesPerSecond = Math.round((2 * LOAD_BYTES * roundTripsUs.length * US_PER_S) / loadUs);
  const [p50Us, p99Us] = [quantile(roundTripsUs, 0.5), quantile(roundTripsUs, 0.99)];
  const figures = {
    answered: roundTripsUs.length,
    lost,
    wrong,
    retransmissions,
    damaged,
    bytesPerSecond,
    p50Us,
    p99Us,
  };
  const text = `${roundTripsUs.length} answers in ${formatDurationUs(loadUs)}, ${lost} lost, ${retransmissions} retransmissions, ${damaged} damaged frames; round trip p50 ${formatDurationUs(p50Us)}, p99 ${formatDurationUs(p99Us)}`;
  return lost + wrong > 0 || roundTripsUs.length === 0 ? failed(text, figures) : passed(text, figures);
}

async function clockFit({ terminal }: SelftestBench): Promise<StepOutcome> {
  const { fit } = terminal.link;
  await terminal.until(
    () => fit.isReady && fit.uncertaintyUs <= MAX_UNCERTAINTY_US && fit.samples >= 10,
    CLOCK_US,
  );
  const { uncertaintyUs, skewPpm, samples } = fit;
  const figures = { uncertaintyUs, skewPpm, samples };
  if (!fit.isReady) return failed("the board's clock is not known", { samples });
  const text = `known to ±${formatDurationUs(Math.ceil(uncertaintyUs))} from ${samples} samples; it runs ${skewPpm.toFixed(0)} ppm off`;
  return uncertaintyUs <= MAX_UNCERTAINTY_US ? passed(text, figures) : failed(text, figures);
}

/** Lines have to stay whole while frames are on the same wire. */
async function logLane(bench: SelftestBench): Promise<StepOutcome> {
  const { terminal } = bench;
  const wanted = Array.from({ length: 5 }, (_, number) => `selftest line ${number} ${pattern(40, number)}`);
  await Promise.all([
    ...wanted.map((text) => terminal.link.command("log", { text, level: "info" })),
    ...wanted.map((text) => terminal.link.command("echo", { data: text })),
  ]);
  const missing = (): string[] =>
    wanted.filter((text) => !bench.lines.some((line) => line.text.includes(text)));
  await terminal.until(() => missing().length === 0, LINE_US);
  const lost = missing().length;
  const text = `${wanted.length - lost} of ${wanted.length} lines came whole between frames`;
  return lost === 0 ? passed(text) : failed(text, { lost });
}

export const LINK_STEPS: readonly SelftestStep[] = [
  { name: "echo", needs: "hello", run: echo },
  { name: "link under load", needs: "hello", run: load },
  { name: "clock", needs: "hello", run: clockFit },
  { name: "log lane", needs: "hello", run: logLane },
];
