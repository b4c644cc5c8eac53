import { type Clock, FleetrigError, isJsonObject, parseJson, type Random, type Timer } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { Artifacts } from "../artifacts/index.js";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { uuidV4 } from "../uuid.js";
import { type ListPage, type ListRequest, pageByName } from "../list-page.js";
import { planOf } from "./plan.js";
import type { Provisioner } from "./provisioner.js";
import {
  REGISTRATION_TASK_CODEC,
  type RegistrationTask,
  type RegistrationTaskStatus,
  type ReportType,
} from "./registration-task.js";
import { parseTemplate, type Template } from "./template.js";

const DEFAULT_PAGE = 250;

/** AWS: StartThingRegistrationTask. */
export interface StartTaskRequest {
  readonly templateBody: string;
  readonly inputFileBucket: string;
  readonly inputFileKey: string;
  readonly roleArn: string;
}

export interface RegistrationTasksOptions {
  readonly clock: Clock;
  /** For task ids. */
  readonly random: Random;
  readonly records: RecordBook;
  readonly account: Account;
  readonly provisioner: Provisioner;
  /** Where input files are read and reports are left. */
  readonly artifacts: () => Pick<Artifacts, "presign" | "store">;
}

/** Things registered before anybody else has a turn. */
const LINES_PER_TURN = 20;
const MAX_INPUT_BYTES = 64 * 1024 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_TASKS = 1_000;
const REPORT_BUCKET = "thing-registration-reports";
const REPORT_LINK_S = 3_600;

/** A task that is being worked on. */
interface Run {
  readonly task: RegistrationTask;
  readonly template: Template;
  readonly input: Uint8Array;
  offset: number;
  lineNumber: number;
  readonly reports: Readonly<Record<ReportType, string[]>>;
}

/** Bulk registration: a template, and a file with the parameters of one thing per line. One task runs at a time, as with AWS. */
export class RegistrationTasks {
  private readonly table: RecordTable<RegistrationTask>;
  private running: Run | undefined;
  private timer: Timer | undefined;

  constructor(private readonly options: RegistrationTasksOptions) {
    this.table = options.records.table("thing-registration-tasks", REGISTRATION_TASK_CODEC);
    options.records.whenRestored(() => {
      for (const task of this.table.values())
        if (task.status === "InProgress") this.end(task, "Failed", "The process ended before the task.");
    });
  }

  /** @throws {FleetrigError} CLOUD_INVALID_REQUEST */
  start(request: StartTaskRequest): RegistrationTask {
    const { clock, random } = this.options;
    const template = parseTemplate(request.templateBody);
    if (this.running !== undefined)
      throw cloudError("InvalidRequestException", `Task ${this.running.task.taskId} is in progress.`, {
        hint: "One bulk registration runs at a time.",
      });
    const input = this.inputOf(request);
    this.makeRoom();
    const nowMs = clock.wallMs();
    const task: RegistrationTask = {
      taskId: uuidV4(random),
      ...request,
      status: "InProgress",
      message: undefined,
      successCount: 0,
      failureCount: 0,
      percentageProgress: 0,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
    };
    this.table.set(task.taskId, task);
    const reports = { RESULTS: [], ERRORS: [] };
    this.running = { task, template, input, offset: 0, lineNumber: 0, reports };
    this.continueLater();
    return task;
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND */
  get(taskId: string): RegistrationTask {
    const task = this.table.get(taskId);
    if (task !== undefined) return task;
    throw cloudError("ResourceNotFoundException", `There is no registration task ${taskId}.`);
  }

  /** What was registered stays. @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  cancel(taskId: string): void {
    const task = this.get(taskId);
    if (this.running?.task !== task)
      throw cloudError("InvalidRequestException", `Task ${taskId} is ${task.status}, not in progress.`);
    this.finish(this.running, "Cancelled");
  }

  list({
    status,
    ...page
  }: ListRequest & { readonly status?: RegistrationTaskStatus }): ListPage<RegistrationTask> {
    const listed = Array.from(this.table.values()).filter(
      (task) => status === undefined || task.status === status,
    );
    return pageByName(listed, page, { nameOf: ({ taskId }) => taskId, defaultSize: DEFAULT_PAGE });
  }

  /** Links to reports, good for an hour; none while the task runs, or where there is nothing to report. */
  reportLinks(taskId: string, reportType: ReportType): readonly string[] {
    this.get(taskId);
    const name = reportName(taskId, reportType);
    const artifacts = this.options.artifacts();
    return artifacts.store.find(name) === undefined ? [] : [artifacts.presign(name, REPORT_LINK_S)];
  }

  stop(): void {
    this.timer?.cancel();
    this.running = undefined;
  }

  private inputOf({ inputFileBucket, inputFileKey }: StartTaskRequest): Uint8Array {
    const file = this.options.artifacts().store.find({ bucket: inputFileBucket, key: inputFileKey });
    if (file === undefined)
      throw cloudError("InvalidRequestException", `There is no file ${inputFileBucket}/${inputFileKey}.`, {
        hint: "Input files are artifacts.",
      });
    if (file.sizeBytes > MAX_INPUT_BYTES)
      throw cloudError("InvalidRequestException", `The input file is larger than ${MAX_INPUT_BYTES} bytes.`);
    return file.read(0, file.sizeBytes);
  }

  private makeRoom(): void {
    const oldest = this.table.size < MAX_TASKS ? undefined : this.table.keys().next().value;
    if (oldest !== undefined) this.table.delete(oldest);
  }

  private continueLater(): void {
    this.timer = this.options.clock.after(0, () => {
      if (this.running !== undefined) this.turn(this.running);
    });
  }

  private turn(run: Run): void {
    for (let lines = 0; lines < LINES_PER_TURN; lines += 1) {
      const line = nextLine(run);
      if (line === undefined) return this.finish(run, "Completed");
      if (line.text.trim() !== "") this.register(run, line);
    }
    const { task, input, offset } = run;
    task.percentageProgress = Math.floor((100 * offset) / input.length);
    this.changed(task);
    this.continueLater();
  }

  private register({ task, template, reports }: Run, { text, lineNumber, offset }: Line): void {
    const { provisioner, account } = this.options;
    try {
      const provisioned = provisioner.carryOut(planOf(template, { values: valuesOf(text) }), account);
      const { certificatePem, resourceArns } = provisioned;
      const response = {
        ...(certificatePem !== undefined && { CertificatePem: certificatePem }),
        ResourceArns: resourceArns,
      };
      reports.RESULTS.push(JSON.stringify({ lineNumber, offset, response }));
      task.successCount += 1;
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      const errorCode = error.context["awsError"] ?? error.code;
      reports.ERRORS.push(JSON.stringify({ errorCode, errorMessage: error.sentence, lineNumber, offset }));
      task.failureCount += 1;
    }
  }

  private finish({ task, reports }: Run, status: "Completed" | "Cancelled"): void {
    this.running = undefined;
    this.timer?.cancel();
    if (status === "Completed") task.percentageProgress = 100;
    try {
      for (const reportType of ["RESULTS", "ERRORS"] as const)
        this.leave(task, reportType, reports[reportType]);
      this.end(task, status);
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      this.end(task, "Failed", `Its reports do not fit: ${error.sentence}`);
    }
  }

  private leave({ taskId }: RegistrationTask, reportType: ReportType, lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.options.artifacts().store.put(reportName(taskId, reportType), Buffer.from(`${lines.join("\n")}\n`));
  }

  private end(task: RegistrationTask, status: RegistrationTaskStatus, message?: string): void {
    task.status = status;
    task.message = message;
    this.changed(task);
  }

  private changed(task: RegistrationTask): void {
    task.modifiedAtMs = this.options.clock.wallMs();
    this.table.changed(task.taskId);
  }
}

interface Line {
  readonly text: string;
  readonly lineNumber: number;
  /** Of its first byte. */
  readonly offset: number;
}

function nextLine(run: Run): Line | undefined {
  const { input, offset } = run;
  if (offset >= input.length) return undefined;
  const found = input.indexOf(0x0a, offset);
  const end = found === -1 ? input.length : found;
  run.offset = end + 1;
  run.lineNumber += 1;
  const bytes = input.subarray(offset, Math.min(end, offset + MAX_LINE_BYTES));
  return { text: Buffer.from(bytes).toString(), lineNumber: run.lineNumber, offset };
}

function valuesOf(text: string): ReadonlyMap<string, string> {
  const parsed = parseJson(text, 2);
  if (!parsed.ok || !isJsonObject(parsed.value))
    throw cloudError("InvalidRequestException", "The line is no JSON object.");
  const entries = Object.entries(parsed.value).map(([name, value]): readonly [string, string] => {
    if (typeof value === "string") return [name, value];
    throw cloudError("InvalidRequestException", `Parameter ${name.slice(0, 128)} is not text.`);
  });
  return new Map(entries);
}

const reportName = (taskId: string, reportType: ReportType) => ({
  bucket: REPORT_BUCKET,
  key: `${taskId}/${reportType}.json`,
});
