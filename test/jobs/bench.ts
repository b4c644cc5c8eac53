import {
  type Clock,
  type JobEvent,
  type JsonObject,
  type JsonValue,
  LANE,
  type RunEvent,
  VirtualTime,
} from "fleetrig/kernel";
import {
  ApplicationMessage,
  type CreateJobRequest,
  JobsService,
  type JobsSettings,
  type JobTargets,
  type MembershipChange,
  type MessageBus,
  type OutgoingMessage,
  RecordBook,
  type RecordJournal,
} from "fleetrig/broker";

/** A message the service sent, decoded. `client` is set for direct answers only. */
export interface Sent {
  readonly client: string | undefined;
  readonly topic: string;
  readonly qos: number;
  readonly body: JsonObject;
}

export const MINUTE_US = 60_000_000;
/** Virtual wall time at the start, in epoch seconds. */
export const EPOCH_S = Date.UTC(2026, 0, 1) / 1000;

/** What is on the disk: every record as JSON text, as it was when it was last asked for. */
export class RecordsOnDisk implements RecordJournal {
  private readonly reads = new Map<string, () => JsonValue | undefined>();
  private readonly rows = new Map<string, string>();

  recordChanged(table: string, key: string, read: () => JsonValue | undefined): void {
    this.reads.set(JSON.stringify([table, key]), read);
  }

  /** Writes down what has changed, and puts everything into another book. */
  moveTo(book: RecordBook): void {
    for (const [place, read] of this.reads) {
      const value = read();
      if (value === undefined) this.rows.delete(place);
      else this.rows.set(place, JSON.stringify(value));
    }
    this.reads.clear();
    for (const place of [...this.rows.keys()].sort()) {
      const [table, key] = JSON.parse(place) as [string, string];
      const fault = book.restore(table, key, JSON.parse(this.rows.get(place)!) as JsonValue);
      if (fault !== undefined) throw new Error(`${place}: ${fault}`);
    }
    book.finish();
  }
}

/** The jobs service in virtual time, with a bus that keeps what was sent and a registry of plain lists. */
export class JobsBench implements MessageBus, JobTargets {
  readonly time = new VirtualTime();
  readonly sent: Sent[] = [];
  readonly events: RunEvent[] = [];
  readonly groups = new Map<string, string[]>();
  jobs: JobsService;
  /** Topics nobody listens to. */
  readonly deaf = new Set<string>();
  private readonly disk = new RecordsOnDisk();
  private readonly clock: Clock;
  private listener: ((change: MembershipChange) => void) | undefined;

  constructor(
    groups: Record<string, readonly string[]> = {},
    private readonly settings: Partial<JobsSettings> = {},
  ) {
    for (const [name, things] of Object.entries(groups)) this.groups.set(`group:${name}`, [...things]);
    this.clock = this.time.lane(LANE.services);
    this.jobs = this.start(new RecordBook(this.disk));
  }

  private start(records: RecordBook): JobsService {
    return new JobsService({
      clock: this.clock,
      bus: this,
      registry: this,
      records,
      settings: this.settings,
      events: { emit: (event) => void this.events.push(event) },
    });
  }

  /** Another process goes on with what the last one wrote down. @param downUs How long there is none. */
  restart(downUs = 0): void {
    this.jobs.stop();
    if (downUs > 0) this.time.advance(downUs);
    const records = new RecordBook(this.disk);
    this.jobs = this.start(records);
    this.disk.moveTo(records);
  }

  publish(message: OutgoingMessage): void {
    this.record(undefined, message);
  }

  sendDirect(client: string, message: OutgoingMessage): boolean {
    this.record(client, message);
    return true;
  }

  hasSubscribers(topic: string): boolean {
    return !this.deaf.has(topic);
  }

  membersOf(target: string): readonly string[] {
    return this.groups.get(target) ?? (/^t\d+$/.test(target) ? [target] : []);
  }

  isKnown(target: string): boolean {
    return this.groups.has(target);
  }

  onMembershipChange(listener: (change: MembershipChange) => void): void {
    this.listener = listener;
  }

  change(change: MembershipChange): void {
    this.listener?.(change);
  }

  create(request: Partial<CreateJobRequest> = {}): void {
    this.jobs.createJob({ jobId: "j1", targets: ["group:all"], document: { operation: "ota" }, ...request });
  }

  /** Publishes a device's request and returns the answer it got. */
  request(thing: string, path: string, body: unknown = {}, qos: 0 | 1 = 1): Sent {
    const before = this.sent.length;
    this.publishAs(thing, `$aws/things/${thing}/jobs/${path}`, body, qos);
    const answer = this.sent[before];
    if (answer?.client !== thing) throw new Error(`no answer to ${path}`);
    return answer;
  }

  publishAs(client: string | undefined, topic: string, body: unknown, qos: 0 | 1 = 1) {
    const payload = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    const fields = { topic, payload, qos, retain: false };
    return this.jobs.handle(new ApplicationMessage(fields, client, this.time.nowUs()));
  }

  startNext(thing: string, body: unknown = {}): JsonObject | undefined {
    return this.request(thing, "start-next", body).body["execution"] as JsonObject | undefined;
  }

  finish(thing: string, status: string, jobId = "j1"): Sent {
    return this.request(thing, `${jobId}/update`, { status });
  }

  private record(client: string | undefined, { topic, qos, payload }: OutgoingMessage): void {
    this.sent.push({ client, topic, qos, body: JSON.parse(payload.toString()) as JsonObject });
  }

  /** Forgets what was sent so far and returns it. */
  takeSent(): Sent[] {
    return this.sent.splice(0);
  }

  jobEvents<T extends JobEvent["type"]>(type: T): Extract<JobEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<JobEvent, { type: T }> => event.type === type);
  }

  /** When things were notified, in µs, in order. */
  notifiedAtUs(): number[] {
    return this.jobEvents("job.notified").map((event) => event.atUs);
  }
}

/** `t1`, `t2`, … */
export const things = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i + 1}`);
