import type { Clock, Random } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { uuidV4 } from "../uuid.js";
import { invalid } from "./audit-configuration.js";
import { plainCodec } from "./plain-codec.js";

/** AWS: exactly one member says what is done. */
interface MitigationActionParams {
  readonly updateDeviceCertificateParams?: { readonly action: "DEACTIVATE" };
  readonly updateCACertificateParams?: { readonly action: "DEACTIVATE" };
  readonly addThingsToThingGroupParams?: {
    readonly thingGroupNames: readonly string[];
    readonly overrideDynamicGroups?: boolean;
  };
  readonly replaceDefaultPolicyVersionParams?: { readonly templateName: "BLANK_POLICY" };
  readonly enableIoTLoggingParams?: {
    readonly roleArnForLogging: string;
    readonly logLevel: "DEBUG" | "INFO" | "ERROR" | "WARN" | "DISABLED";
  };
  readonly publishFindingToSnsParams?: { readonly topicArn: string };
}

const TYPES = {
  updateDeviceCertificateParams: "UPDATE_DEVICE_CERTIFICATE",
  updateCACertificateParams: "UPDATE_CA_CERTIFICATE",
  addThingsToThingGroupParams: "ADD_THINGS_TO_THING_GROUP",
  replaceDefaultPolicyVersionParams: "REPLACE_DEFAULT_POLICY_VERSION",
  enableIoTLoggingParams: "ENABLE_IOT_LOGGING",
  publishFindingToSnsParams: "PUBLISH_FINDING_TO_SNS",
} as const satisfies Record<keyof MitigationActionParams, string>;

/** AWS: kinds of actions. */
export type MitigationActionType = (typeof TYPES)[keyof typeof TYPES];

/** AWS: CreateMitigationAction. */
export interface MitigationActionRequest {
  readonly actionName: string;
  readonly roleArn: string;
  readonly actionParams: MitigationActionParams;
}

/** AWS: something that can be done about findings; times are wall-clock milliseconds. */
export interface MitigationAction extends MitigationActionRequest {
  readonly actionId: string;
  readonly creationDateMs: number;
  readonly lastModifiedDateMs: number;
}

export interface MitigationActionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly records: RecordBook;
}

const MAX_ACTIONS = 100;

export const typeOf = ({ actionParams }: Pick<MitigationAction, "actionParams">): MitigationActionType =>
  TYPES[Object.keys(actionParams)[0] as keyof typeof TYPES];

/** What an account has prepared to do about findings. */
export class MitigationActions {
  private readonly table: RecordTable<MitigationAction>;

  constructor(private readonly options: MitigationActionsOptions) {
    this.table = options.records.table("mitigation-action", plainCodec<MitigationAction>());
  }

  create(request: MitigationActionRequest): MitigationAction {
    const { actionName } = request;
    if (this.table.has(actionName)) {
      throw cloudError("ResourceAlreadyExistsException", `Mitigation action ${actionName} exists.`, {
        hint: "Use UpdateMitigationAction to change it.",
      });
    }
    if (this.table.size >= MAX_ACTIONS) {
      throw cloudError("LimitExceededException", `There are ${MAX_ACTIONS} mitigation actions already.`, {
        hint: "Delete one.",
      });
    }
    assertParams(request.actionParams);
    const nowMs = this.options.clock.wallMs();
    const action = {
      ...request,
      actionId: uuidV4(this.options.random),
      creationDateMs: nowMs,
      lastModifiedDateMs: nowMs,
    };
    this.table.set(actionName, action);
    return action;
  }

  /** What is left out stays. */
  update(request: Partial<MitigationActionRequest> & { readonly actionName: string }): MitigationAction {
    const before = this.get(request.actionName);
    if (request.actionParams !== undefined) assertParams(request.actionParams);
    const action = { ...before, ...request, lastModifiedDateMs: this.options.clock.wallMs() };
    this.table.set(action.actionName, action);
    return action;
  }

  /** AWS: deleting what does not exist succeeds. */
  delete(actionName: string): void {
    this.table.delete(actionName);
  }

  has(actionName: string): boolean {
    return this.table.has(actionName);
  }

  get(actionName: string): MitigationAction {
    const action = this.table.get(actionName);
    if (action !== undefined) return action;
    throw cloudError("ResourceNotFoundException", `There is no mitigation action ${actionName}.`, {
      hint: "ListMitigationActions has the names; they are case-sensitive.",
    });
  }

  /** By name. */
  list(type?: string): readonly MitigationAction[] {
    return Array.from(this.table.values())
      .filter((action) => type === undefined || typeOf(action) === type)
      .sort((a, b) => (a.actionName < b.actionName ? -1 : 1));
  }
}

function assertParams(params: MitigationActionParams): void {
  if (Object.keys(params).length === 1) return;
  throw invalid("A mitigation action does one thing.", "Give actionParams exactly one member.");
}
