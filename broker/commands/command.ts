/** A typed value in AWS's words: exactly one member is there. */
export interface ParameterValue {
  readonly S?: string;
  readonly B?: boolean;
  /** 32 bits. */
  readonly I?: number;
  readonly L?: number;
  readonly D?: number;
  readonly BIN?: Uint8Array;
  /** Decimal digits. */
  readonly UL?: string;
}

export type ParameterType = "STRING" | "INTEGER" | "DOUBLE" | "LONG" | "UNSIGNEDLONG" | "BOOLEAN" | "BINARY";

export type ComparisonOperator =
  | "EQUALS"
  | "NOT_EQUALS"
  | "LESS_THAN"
  | "LESS_THAN_EQUALS"
  | "GREATER_THAN"
  | "GREATER_THAN_EQUALS"
  | "IN_SET"
  | "NOT_IN_SET"
  | "IN_RANGE"
  | "NOT_IN_RANGE";

/** What a value is compared with; numbers are decimal text. */
export interface ComparisonOperand {
  readonly number?: string;
  readonly numbers?: readonly string[];
  readonly string?: string;
  readonly strings?: readonly string[];
  readonly numberRange?: { readonly min: string; readonly max: string };
}

/** AWS: what a command asks for when it is started. */
export interface CommandParameter {
  readonly name: string;
  readonly type?: ParameterType;
  /** Counts when the start gives none, before the default. */
  readonly value?: ParameterValue;
  readonly defaultValue?: ParameterValue;
  /** All of them must hold. */
  readonly valueConditions?: readonly {
    readonly comparisonOperator: ComparisonOperator;
    readonly operand: ComparisonOperand;
  }[];
  readonly description?: string;
}

/** AWS: CreateCommand. */
export interface CreateCommandRequest {
  readonly commandId: string;
  readonly namespace?: "AWS-IoT" | "AWS-IoT-FleetWise";
  readonly displayName?: string;
  readonly description?: string;
  /** What devices get, as it is. */
  readonly payload?: { readonly content?: Uint8Array; readonly contentType?: string };
  /** JSON with placeholders for parameters. */
  readonly payloadTemplate?: string;
  readonly preprocessor?: {
    readonly awsJsonSubstitution?: { readonly outputFormat: "JSON" | "CBOR" };
  };
  readonly mandatoryParameters?: readonly CommandParameter[];
  readonly roleArn?: string;
}

/** AWS: UpdateCommand. */
export interface UpdateCommandRequest {
  readonly commandId: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
}

/** Something that devices can be told to do. */
export interface Command extends CreateCommandRequest {
  readonly createdAtMs: number;
  readonly lastUpdatedAtMs: number;
  /** Undefined unless it is deprecated. */
  readonly deprecatedAtMs?: number;
  /** When it goes; undefined unless it is being deleted. */
  readonly deletionDueMs?: number;
}

/** How a command went on one target, as the device or the service says. */
export type CommandStatus = "CREATED" | "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED" | "TIMED_OUT";

export interface StatusReason {
  readonly reasonCode: string;
  readonly reasonDescription?: string;
}

export type CommandResult = Readonly<Record<string, Pick<ParameterValue, "S" | "B" | "BIN">>>;

/** One command on one target. */
export interface CommandExecution {
  readonly executionId: string;
  readonly commandId: string;
  readonly targetKind: "things" | "clients";
  readonly target: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly executionTimeoutSeconds: number;
  readonly clientToken?: string;
  readonly createdAtMs: number;
  status: CommandStatus;
  /** Nothing changes it any more: the device has said how it ended. */
  isTerminal: boolean;
  statusReason?: StatusReason;
  result?: CommandResult;
  lastUpdatedAtMs: number;
  startedAtMs?: number;
  completedAtMs?: number;
}
