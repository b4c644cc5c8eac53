import type { Bench } from "fleetrig/hil";
import {
  createRandomSource,
  type DeliveryProbe,
  type EventSink,
  EXIT,
  FleetrigError,
  HostProbe,
  hostNowUs,
  hostYield,
  type RandomSource,
  RealTime,
  teeProbe,
  teeSink,
  type TimeSource,
  VirtualTime,
  withBannedGlobals,
} from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import { type DeviceModel, resolveModel } from "fleetrig/sim";
import type { Action, ExpectationSpec, Scenario, Stage } from "../scenario.js";
import { type Abortion, AbortWatch } from "./abort-watch.js";
import { perform } from "./actions.js";
import { assembleRecord, judge, type RunIdentity, type RunOutcome } from "./assemble-record.js";
import {
  type Counterfactual,
  failuresByJob,
  needsCounterfactual,
  samplePrevented,
  withoutAborts,
} from "./counterfactual.js";
import { asFailure } from "./failure.js";
import { claimBoards, EventRelay } from "./bench-claim.js";
import { noBoard } from "./bench-plan.js";
import { NO_IMAGES } from "./firmware-images.js";
import { planFleet, type PlannedFleet, USUAL_MODEL } from "./fleet-plan.js";
import { Measurement } from "./measurement.js";
import { StageRunner } from "./stage-runner.js";
import { TraceRecorder } from "./trace.js";
import { createWorld, type World } from "./world.js";

/** Where a run is, for whoever shows it. */
export interface RunProgress {
  readonly scenario: string;
  readonly seed: number;
  readonly stage: string;
  /** Time of the run so far. */
  readonly runUs: number;
  /** Planned end; undefined when a stage waits for a condition. */
  readonly endUs: number | undefined;
  /** Time of the host so far. */
  readonly wallUs: number;
  readonly online: number;
  readonly devices: number;
  readonly published: number;
}

/** What is run, and who is told about it. */
export interface RunOptions {
  readonly scenario: Scenario;
  readonly identity: RunIdentity;
  /** Expectations of a sweep, which are judged elsewhere but may need more to be measured. */
  readonly alsoAsked?: readonly ExpectationSpec[];
  /** Folder that relative model files are looked up in. */
  readonly folder: string;
  readonly progress?: (progress: RunProgress) => void;
  /** Ends the run early; the record then says `interrupted`. */
  readonly signal?: AbortSignal;
  /** Called when the embedded broker listens in a real-time run, so that other clients can take part. */
  readonly listening?: (endpoint: { readonly host: string; readonly port: number }) => void;
  /** Missing hardware breaks the run, instead of being skipped. */
  readonly requiresBoards?: boolean;
  /** Opens the bench of a run whose scenario has bridges. */
  readonly openBench?: (context: BenchContext) => Promise<Bench>;
  /** Last say about the plan, before anything is built from it. */
  readonly planned?: (planned: PlannedFleet) => PlannedFleet;
  /** Last say about the world, before anything happens in it: faults of the observer's link, more clients. */
  readonly prepared?: (world: World) => void;
  /** Hears of every message as the measurement does. */
  readonly witness?: DeliveryProbe;
  /** Hears of every event as the measurement does. */
  readonly listener?: EventSink;
}

/** What a bench needs to know of the run that it serves. */
export interface BenchContext {
  readonly time: TimeSource;
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly scenario: Scenario;
  /** Folder that relative paths of the scenario are looked up in. */
  readonly folder: string;
}

/** Wall time between two looks at signals, progress and abort conditions, in µs. */
const SLICE_US = 50_000;
/** Virtual events run before the wall clock is looked at. */
const EVENTS_PER_LOOK = 2_000;
/** An external broker that has not granted the observer's subscriptions by then counts as unreachable. */
const OBSERVER_DEADLINE_US = 5_000_000;

/**
 * Runs one scenario once and returns its record. Whatever goes wrong inside the run ends up in the record's
 * verdict and `failure`; only a bug of ours throws.
 */
export const runScenario = async (options: RunOptions): Promise<RunRecord> =>
  (await runAndMeasure(options, () => undefined)).record;

/** Like {@link runScenario}, and reads more of the measurement than the record holds, before the world ends. */
export async function runAndMeasure<Reading>(
  options: RunOptions,
  read: (measurement: Measurement) => Reading,
): Promise<{ readonly record: RunRecord; readonly reading: Reading }> {
  const host = new HostProbe();
  const { scenario, identity } = options;
  const counterfactual = needsCounterfactual([...scenario.expect, ...(options.alsoAsked ?? [])])
    ? await runWithoutAborts(options)
    : undefined;
  const run = await Run.create(options, host).catch((error: unknown) => {
    host.stop();
    throw error;
  });
  try {
    const outcome = await run.toTheEnd();
    if (counterfactual !== undefined) samplePrevented(run.measurement.observation, counterfactual);
    // Before the world ends: its end is not part of the run.
    const record = assembleRecord({
      scenario,
      identity,
      outcome,
      planned: run.planned,
      measurement: run.measurement,
      fingerprint: run.fingerprint,
      host: host.stop(),
    });
    return { record, reading: read(run.measurement) };
  } finally {
    await run.world.stop();
  }
}

/** The same world without aborts. It is asked for nothing else, and nobody but us hears of it. */
async function runWithoutAborts(options: RunOptions): Promise<Counterfactual> {
  const { alsoAsked: _asked, witness: _witness, listening: _listening, ...same } = options;
  const unaborted = { ...same, scenario: withoutAborts(options.scenario) };
  return (await runAndMeasure(unaborted, ({ observation }) => failuresByJob(observation))).reading;
}

/** @throws FleetrigError BENCH_NO_BOARD (exit 3) */
function requireBoards({ absent }: PlannedFleet): void {
  for (const [thing, { reason }] of absent) throw noBoard(thing, reason);
}

async function resolveModels(scenario: Scenario, folder: string): Promise<Map<string, DeviceModel>> {
  const references = new Set(scenario.fleet.map(({ model }) => model ?? USUAL_MODEL));
  const models = new Map<string, DeviceModel>();
  for (const reference of references) models.set(reference, await resolveModel(reference, folder));
  return models;
}

class Run {
  private readonly stages: StageRunner;
  private readonly aborts: AbortWatch;
  private readonly startedUs = hostNowUs();
  private failure: FleetrigError | undefined;
  private isInterrupted = false;
  private abortion: Abortion | undefined;
  private wake: () => void = () => undefined;

  private constructor(
    private readonly options: RunOptions,
    readonly world: World,
    readonly planned: PlannedFleet,
    readonly measurement: Measurement,
    private readonly trace: TraceRecorder | undefined,
  ) {
    this.stages = new StageRunner({
      clock: world.harness,
      events: world.events,
      stages: options.scenario.stages,
      perform: (action) => this.perform(action),
      holds: (stage) => measurement.holds(stage.until!.condition),
      entered: (stage) => this.entered(stage),
    });
    this.aborts = new AbortWatch({
      clock: world.harness,
      expectations: options.scenario.expect,
      judge: (spec) =>
        judge(spec, {
          observation: measurement.observation,
          trust: measurement.trust(options.identity.clock),
          file: options.identity.file,
        }),
      abort: (abortion) => {
        this.abortion = abortion;
        this.end();
      },
    });
  }

  static async create(options: RunOptions, host: HostProbe): Promise<Run> {
    const { scenario, identity } = options;
    const models = await resolveModels(scenario, options.folder);
    const random = createRandomSource(identity.seed);
    let run: Run | undefined;
    const failed = (error: unknown): void => run?.fail(asFailure(error));
    const time = identity.clock === "virtual" ? new VirtualTime() : new RealTime(failed);
    const stage = new EventRelay();
    const boards = await claimBoards(options, { time, random, events: stage, models });
    try {
      const plan = planFleet(scenario, models, random, { roll: boards?.roll, images: boards?.images });
      const planned = options.planned?.(plan) ?? plan;
      if (options.requiresBoards === true) requireBoards(planned);
      const measurement = new Measurement({ scenario, planned, host, boards: boards?.roll.boards });
      const trace = identity.clock === "virtual" ? new TraceRecorder() : undefined;
      const heard = [measurement.events, ...(options.listener === undefined ? [] : [options.listener])];
      const events = trace === undefined ? teeSink(...heard) : teeSink(trace, ...heard);
      stage.connect(events);
      const world = await createWorld({
        scenario,
        planned,
        seed: identity.seed,
        time,
        probe:
          options.witness === undefined ? measurement.probe : teeProbe(measurement.probe, options.witness),
        failed,
        events,
        run: `r${identity.seed.toString(36)}`,
        boards: boards?.bench && { bench: boards.bench, claimed: boards.roll.boards },
        images: boards?.images ?? NO_IMAGES,
        folder: options.folder,
      });
      if (trace !== undefined)
        world.cloud?.broker.addHooks({
          message: (message) => (trace.message(message), "broker"),
          listensTo: () => false,
        });
      measurement.attach(world);
      options.prepared?.(world);
      run = new Run(options, world, planned, measurement, trace);
      return run;
    } catch (error) {
      await boards?.bench?.close();
      throw error;
    }
  }

  get fingerprint(): string | undefined {
    return this.trace?.fingerprint();
  }

  async toTheEnd(): Promise<RunOutcome> {
    const { world, options } = this;
    if (world.endpoint !== undefined && options.scenario.broker.mode === "embedded")
      options.listening?.(world.endpoint);
    const onAbort = (): void => this.interrupt();
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (options.signal?.aborted === true) this.interrupt();
    try {
      if (world.virtual === undefined) await this.runInRealTime();
      else await this.runInVirtualTime();
    } catch (error) {
      this.failure ??= asFailure(error);
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
    }
    await world.settle();
    this.measurement.settle(world.time.nowUs());
    const { isInterrupted, failure, abortion } = this;
    return { durationUs: world.time.nowUs(), isInterrupted, failure, abortion };
  }

  /** Stages begin when the observer listens: what it cannot see would count as lost. */
  private begin(): void {
    const { world } = this;
    world.observer.start(() => {
      const originUs = world.time.nowUs();
      world.fleet.start(originUs);
      this.stages.start(originUs);
      this.aborts.start();
    });
  }

  private async runInVirtualTime(): Promise<void> {
    const time = this.world.virtual!;
    withBannedGlobals(() => this.begin());
    while (!withBannedGlobals(() => runSlice(time))) {
      this.look();
      await hostYield();
    }
    this.look();
  }

  private runInRealTime(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      const { harness } = this.world;
      const look = (): void => {
        this.look();
        if (!this.stages.isFinished) harness.after(SLICE_US * 4, look);
      };
      look();
      harness.after(OBSERVER_DEADLINE_US, () => this.requireObserver());
      this.begin();
    });
  }

  private requireObserver(): void {
    if (this.stages.current !== undefined || this.stages.isFinished) return;
    this.fail(
      new FleetrigError(
        "RUN_BROKER_UNREACHABLE",
        `The broker at ${this.options.scenario.broker.url ?? "the embedded listener"} did not let the observer in within 5 s.`,
        {
          hint: "Check that the broker runs, that the URL is right and that it accepts anonymous clients.",
          exitCode: EXIT.environment,
        },
      ),
    );
  }

  private look(): void {
    const { options, world, measurement, startedUs } = this;
    measurement.sampleHost();
    options.progress?.({
      scenario: options.scenario.name,
      seed: options.identity.seed,
      stage: this.stages.current?.name ?? "",
      runUs: world.time.nowUs(),
      endUs: plannedEndUs(options.scenario),
      wallUs: hostNowUs() - startedUs,
      online: measurement.online,
      devices: this.planned.things.length,
      published: measurement.published,
    });
  }

  private perform(action: Action): void {
    const { world } = this;
    try {
      perform(action, {
        clock: world.harness,
        random: world.random,
        events: world.events,
        fleet: world.fleet,
        absent: this.planned.absent,
        cloud: world.cloud,
        identities: world.identities,
        images: world.images,
      });
    } catch (error) {
      this.fail(asFailure(error));
    }
  }

  private entered(stage: Stage | undefined): void {
    if (stage !== undefined) return;
    this.aborts.stop();
    this.world.virtual?.halt();
    this.wake();
  }

  private interrupt(): void {
    this.isInterrupted = true;
    this.end();
  }

  private fail(failure: FleetrigError): void {
    this.failure ??= failure;
    this.end();
  }

  private end(): void {
    this.stages.abort();
    this.aborts.stop();
    this.world.virtual?.halt();
    this.wake();
  }
}

/** @returns true when the run is over. */
function runSlice(time: VirtualTime): boolean {
  const sliceEndUs = hostNowUs() + SLICE_US;
  while (hostNowUs() < sliceEndUs) if (time.runUntil(Number.POSITIVE_INFINITY, EVENTS_PER_LOOK)) return true;
  return false;
}

const plannedEndUs = ({ stages }: Scenario): number | undefined =>
  stages.some(({ until }) => until !== undefined)
    ? undefined
    : stages.reduce((sum, { durationUs }) => sum + durationUs, 0);
