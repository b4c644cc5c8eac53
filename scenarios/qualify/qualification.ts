import type { Clock } from "fleetrig/kernel";
import { CaseRun, type DeviceUnderTest } from "./case-run.js";
import type { TestEndpoint } from "./endpoint/test-endpoint.js";
import { inconclusive, type Judgement, notApplicable } from "./judgement.js";
import { type CaseParameters, parametersAsJson } from "./parameters.js";
import type { QualificationCase, ShownCertificate } from "./qualification-case.js";
import type { CaseRecord } from "./qualification-record.js";

/** A case with what it was told. */
export interface PlannedCase {
  readonly case: QualificationCase;
  readonly parameters: CaseParameters;
}

export interface QualificationOptions {
  readonly plan: readonly PlannedCase[];
  readonly clock: Clock;
  readonly endpoint: TestEndpoint;
  readonly device: DeviceUnderTest;
  /** Undefined: the device does not speak TLS to the endpoint, and why. */
  readonly tls:
    | { readonly show: (certificate: ShownCertificate) => void }
    | { readonly show?: undefined; readonly reason: string };
  /** Texts of the policies of the device's certificate, by name. */
  readonly policies?: Readonly<Record<string, string>>;
  readonly began?: (planned: PlannedCase) => void;
  readonly ended?: (record: CaseRecord) => void;
  /** All cases have been run. */
  readonly done: (records: readonly CaseRecord[]) => void;
}

/** Runs cases one after the other. Sans-I/O: it only waits for its clock. */
export class Qualification {
  private readonly records: CaseRecord[] = [];
  private readonly waiting: PlannedCase[];
  private current: CaseRun | undefined;
  private startedUs = 0;

  constructor(private readonly options: QualificationOptions) {
    this.waiting = [...options.plan];
  }

  start(): void {
    this.next();
  }

  /** Ends it: the case that runs and those that wait stay undecided. @returns what there is. */
  abort(): readonly CaseRecord[] {
    this.current?.abort();
    const skipped = this.waiting.map((planned) =>
      this.record(planned, inconclusive("The qualification was interrupted.")),
    );
    this.waiting.length = 0;
    return [...this.records, ...skipped];
  }

  private next(): void {
    const { clock, endpoint, device, tls, policies, began, done } = this.options;
    const [planned] = this.waiting;
    if (planned === undefined) return done(this.records);
    began?.(planned);
    this.startedUs = clock.nowUs();
    if (planned.case.group === "TLS" && tls.show === undefined) {
      this.take(this.record(planned, notApplicable(tls.reason)));
      return;
    }
    this.current = new CaseRun({
      ...planned,
      clock,
      endpoint,
      device,
      show: tls.show ?? (() => undefined),
      prepare: ({ book }) => policies !== undefined && book.outcome("policies", policies),
      done: ({ judgement, parts }) => {
        const [only] = parts;
        const details = parts.length === 1 ? { evidence: only!.evidence } : { parts };
        this.take({ ...this.record(planned, judgement), ...details });
      },
    });
    this.current.start();
  }

  private take(record: CaseRecord): void {
    this.records.push(record);
    this.waiting.shift();
    this.options.ended?.(record);
    this.next();
  }

  private record(planned: PlannedCase, judgement: Judgement): CaseRecord {
    const { id, group, title } = planned.case;
    const durationMs = Math.round((this.options.clock.nowUs() - this.startedUs) / 1_000);
    return { id, group, title, parameters: parametersAsJson(planned.parameters), durationMs, ...judgement };
  }
}
