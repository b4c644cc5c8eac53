import { isJsonObject } from "fleetrig/kernel";
import type { RecordCodec } from "../records/index.js";

/** AWS: states of a bulk registration. */
export type RegistrationTaskStatus = "InProgress" | "Completed" | "Failed" | "Cancelled" | "Cancelling";
export type ReportType = "ERRORS" | "RESULTS";

/** One bulk registration (REF §11.6). */
export interface RegistrationTask {
  readonly taskId: string;
  readonly templateBody: string;
  readonly inputFileBucket: string;
  readonly inputFileKey: string;
  readonly roleArn: string;
  status: RegistrationTaskStatus;
  /** Why it failed. */
  message: string | undefined;
  successCount: number;
  failureCount: number;
  percentageProgress: number;
  readonly createdAtMs: number;
  modifiedAtMs: number;
}

export const REGISTRATION_TASK_CODEC: RecordCodec<RegistrationTask> = {
  write: ({ message, ...task }) => ({ ...task, ...(message !== undefined && { message }) }),
  read: (value, key) => {
    if (!isJsonObject(value) || value["taskId"] !== key) return undefined;
    const texts = ["templateBody", "inputFileBucket", "inputFileKey", "roleArn", "status"];
    const numbers = ["successCount", "failureCount", "percentageProgress", "createdAtMs", "modifiedAtMs"];
    const isWhole =
      texts.every((name) => typeof value[name] === "string") &&
      numbers.every((name) => typeof value[name] === "number");
    return isWhole ? ({ message: undefined, ...value } as unknown as RegistrationTask) : undefined;
  },
};
