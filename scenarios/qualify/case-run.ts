import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import type { TestEndpoint } from "./endpoint/test-endpoint.js";
import { inconclusive, type Judge, type Judgement } from "./judgement.js";
import type { CaseParameters } from "./parameters.js";
import type { CasePart, QualificationCase, ShownCertificate } from "./qualification-case.js";
import type { PartRecord } from "./qualification-record.js";

/** What a qualification needs of the device; everything else is seen at the endpoint. */
export interface DeviceUnderTest {
  /** Becomes what the case wants, as new, if it can be told to: no case depends on those before it. */
  prepare?(found: QualificationCase): void;
  /** Connects now, if it can be told to. */
  nudge(): void;
}

export interface CaseRunOptions {
  readonly case: QualificationCase;
  readonly parameters: CaseParameters;
  readonly clock: Clock;
  readonly endpoint: TestEndpoint;
  readonly device: DeviceUnderTest;
  /** The certificate that the TLS door shows from now on. */
  readonly show: (certificate: ShownCertificate) => void;
  /** Part of every evidence, such as the device's policies. */
  readonly prepare?: (endpoint: TestEndpoint) => void;
  readonly done: (outcome: CaseOutcome) => void;
}

interface CaseOutcome {
  readonly judgement: Judgement;
  readonly parts: readonly PartRecord[];
}

/** How often the evidence is judged, and a device that has not come is told to. */
const LOOK_US = US_PER_S / 4;
const NUDGE_US = US_PER_S;

/** Runs one case: the endpoint begins to behave as it wants, the device connects, and the evidence is judged until it is decided. */
export class CaseRun {
  private readonly parts: PartRecord[] = [];
  private readonly waiting: CasePart[];
  private timer: Timer | undefined;
  private deadlineUs = 0;
  private nudgeUs = 0;

  constructor(private readonly options: CaseRunOptions) {
    const { parameters } = options;
    this.waiting = [...(options.case.parts?.(parameters) ?? [{ ...options.case, name: options.case.id }])];
  }

  start(): void {
    this.options.device.prepare?.(this.options.case);
    this.next();
  }

  /** Ends it now, undecided. */
  abort(): void {
    this.timer?.cancel();
    this.options.endpoint.end();
  }

  private next(): void {
    const { clock, endpoint, show, prepare, parameters } = this.options;
    const [part] = this.waiting;
    if (part === undefined) return this.finish();
    show(this.options.case.certificate ?? "good");
    endpoint.begin(part.script, { ...parameters, ...part.parameters });
    prepare?.(endpoint);
    this.deadlineUs = clock.nowUs() + (parameters.EXECUTION_TIMEOUT + (part.ownS ?? 0)) * US_PER_S;
    this.nudgeUs = clock.nowUs();
    this.timer = clock.after(0, () => this.look(part));
  }

  private look(part: CasePart): void {
    const { clock, endpoint, device, parameters } = this.options;
    const nowUs = clock.nowUs();
    const evidence = endpoint.book.read(nowUs >= this.deadlineUs);
    const judgement = judged(part.judge, evidence, { ...parameters, ...part.parameters });
    if (judgement !== undefined) {
      // What still ends afterwards is no evidence of this case.
      this.parts.push({ ...judgement, name: part.name, evidence: structuredClone(evidence) });
      endpoint.end();
      this.waiting.shift();
      this.next();
      return;
    }
    if (!endpoint.book.hasContact && nowUs >= this.nudgeUs) {
      this.nudgeUs = nowUs + NUDGE_US;
      device.nudge();
    }
    this.timer!.again(Math.min(LOOK_US, Math.max(0, this.deadlineUs - nowUs)));
  }

  private finish(): void {
    this.timer?.cancel();
    this.options.done({ judgement: combined(this.parts), parts: this.parts });
  }
}

function judged(judge: Judge, ...[evidence, parameters]: Parameters<Judge>): Judgement | undefined {
  const judgement = judge(evidence, parameters);
  return judgement ?? (evidence.isOver ? inconclusive("The time was not enough to decide.") : undefined);
}

const WORST_FIRST = ["fail", "inconclusive", "pass-with-warnings", "pass", "not-applicable"] as const;

/** Of several parts: the worst of their verdicts, and all that they say. */
function combined(parts: readonly PartRecord[]): Judgement {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) {
    const { name: _name, evidence: _evidence, ...judgement } = only;
    return judgement;
  }
  const named = (name: string, sentences: readonly string[]): string[] =>
    sentences.map((sentence) => `${name}: ${sentence}`);
  return {
    verdict: WORST_FIRST.find((verdict) => parts.some((part) => part.verdict === verdict)) ?? "inconclusive",
    reasons: parts.flatMap(({ name, reasons }) => named(name, reasons)),
    warnings: parts.flatMap(({ name, warnings }) => named(name, warnings)),
    measurements: parts.flatMap(({ name, measurements }) =>
      measurements.map((measurement) => ({ ...measurement, name: `${name}: ${measurement.name}` })),
    ),
    gaps: parts.flatMap(({ gaps = [] }) => gaps),
  };
}
