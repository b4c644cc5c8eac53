import type { EventType, IndexingConfiguration } from "fleetrig/broker";
import type { Distribution, JsonObject, JsonValue } from "fleetrig/kernel";
import type { BoardSelector, CrashKind } from "fleetrig/hil";
import type { Expectation, RendererName } from "fleetrig/reports";
import type {
  BoardStimulus,
  BufferPlan,
  ClaimPlan,
  DisconnectMode,
  LinkProfile,
  MqttPlan,
  ReconnectPlan,
  Selection,
  SignalSpec,
  StateChange,
  TelemetryPlan,
} from "fleetrig/sim";
import type { SourcePosition } from "./load/source-tree.js";

/**
 * A scenario ready to plan and run: every default filled in, durations in µs, rates per second, shares as
 * fractions from 0 to 1. `ScenarioDocument` is the same as its author wrote it.
 */
export interface Scenario {
  readonly version: 1;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly seed: number;
  readonly clock: "virtual" | "real";
  readonly broker: BrokerSpec;
  readonly services: ServicesSpec;
  readonly controlPlane: ControlPlaneSpec;
  readonly network: Readonly<Record<string, LinkProfile>>;
  readonly fleet: readonly FleetGroup[];
  readonly bench: BenchSpec;
  readonly bridges: readonly BridgeSpec[];
  readonly rules: readonly RuleSpec[];
  readonly stages: readonly Stage[];
  readonly expect: readonly ExpectationSpec[];
  readonly sweep: SweepSpec | undefined;
  readonly report: ReportSpec;
}

/** The broker of the run: embedded, or somebody else's. */
export interface BrokerSpec {
  readonly mode: "embedded" | "external";
  /** Always set when external. */
  readonly url: string | undefined;
  /** `host:port` of the embedded broker in real time. */
  readonly listen: string | undefined;
  readonly profile: "aws" | "oasis";
  readonly limits: BrokerLimitsSpec;
}

/** Limits of the embedded broker that a scenario can set. */
export interface BrokerLimitsSpec {
  /** CONNECTs per second; `undefined` is unlimited. */
  readonly connectRatePerSecond: number | undefined;
  readonly overload: "refuse" | "queue";
  /** `undefined` leaves it to the broker. */
  readonly maxQueuedPerSession: number | undefined;
  readonly maxInflight: number | undefined;
}

/** The cloud services that take part. */
export interface ServicesSpec {
  readonly shadows: boolean;
  readonly jobs: boolean;
  readonly rules: boolean;
  /** Events besides presence that are published; absent for none. */
  readonly events?: readonly EventType[];
}

/** Identity, registry, provisioning and index of the embedded cloud, as they are when the run begins. */
export interface ControlPlaneSpec {
  /** Something of it is used: attributes of things are registered then. */
  readonly isUsed: boolean;
  /** Certificates and policies are enforced. */
  readonly isEnforced: boolean;
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** `undefined` is AWS's quota. */
  readonly createKeysPerS: number | undefined;
  readonly registerThingPerS: number | undefined;
  readonly policies: readonly { readonly name: string; readonly document: string }[];
  readonly thingTypes: readonly ThingTypeSpec[];
  readonly thingGroups: readonly ThingGroupSpec[];
  readonly authorizers: readonly { readonly name: string; readonly function: string }[];
  readonly templates: readonly TemplateSpec[];
  /** `undefined`: indexing is off. */
  readonly index: IndexSpec | undefined;
}

/** A thing type as AWS has it. */
interface ThingTypeSpec {
  readonly name: string;
  readonly thingTypeDescription: string | undefined;
  readonly searchableAttributes: readonly string[];
}

/** A thing group; `queryString` makes it dynamic. */
export interface ThingGroupSpec {
  readonly name: string;
  readonly parentGroupName: string | undefined;
  readonly thingGroupDescription: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly policies: readonly string[];
  readonly queryString: string | undefined;
}

/** A template of fleet provisioning; `body` is JSON. */
interface TemplateSpec {
  readonly name: string;
  readonly body: string;
  readonly hook: string | undefined;
}

/** What is indexed, in AWS's words, and the queries that are counted. */
export interface IndexSpec {
  readonly configuration: IndexingConfiguration;
  readonly queries: Readonly<Record<string, string>>;
}

/** Who the devices of a group are. */
export interface IdentitySpec {
  /** `undefined`: not before they have provisioned themselves. */
  readonly keyType: "ec-p256" | "rsa-2048" | undefined;
  /** Of each device's certificate. */
  readonly policies: readonly string[];
  readonly claim: ClaimSpec | undefined;
}

/** Fleet provisioning by claim. */
interface ClaimSpec extends ClaimPlan {
  /** Of the claim certificate that the devices of the group share. */
  readonly policies: readonly string[];
}

/** Things that share a model, a network and a way of behaving. */
export interface FleetGroup {
  readonly group: string;
  /** `builtin:<name>` or `./file.ts#export`; `undefined` only for real boards. */
  readonly model: string | undefined;
  readonly count: number;
  /** Template; unused when `things` lists the names. */
  readonly thingName: string;
  readonly things: readonly string[] | undefined;
  readonly requires: "hardware" | undefined;
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  readonly thingType: string | undefined;
  /** Static thing groups that its things join, besides the group's own. */
  readonly thingGroups: readonly string[];
  /** `undefined`: they show no certificate. */
  readonly identity: IdentitySpec | undefined;
  /** Name in `Scenario.network`; `undefined` is a perfect link. */
  readonly network: string | undefined;
  readonly mqtt: MqttPlan;
  readonly arrival: ArrivalSpec;
  readonly reconnect: ReconnectPlan;
  readonly telemetry: readonly TelemetrySpec[];
  /** `undefined` when the group has no `shadow` block. */
  readonly shadow: ShadowSpec | undefined;
  readonly ota: OtaSpec | undefined;
  readonly buffer: BufferPlan;
  readonly signals: Readonly<Record<string, SignalSpec>>;
  readonly settings: JsonObject;
}

/** How the things of a group get the values of one attribute. */
export type AttributeSpec =
  | { readonly kind: "constant"; readonly value: JsonValue }
  /** Shares add up to 1. */
  | {
      readonly kind: "choice";
      readonly options: readonly { readonly value: string; readonly share: number }[];
    }
  /** `from` to `to` by index, then from the start again. */
  | { readonly kind: "cycle"; readonly from: number; readonly to: number }
  /** A field of the device's invented identity. */
  | { readonly kind: "identity"; readonly identity: string };

/** How the things of a group connect at first. */
export type ArrivalSpec =
  | { readonly kind: "rate"; readonly perSecond: number; readonly distribution: "linear" | "poisson" }
  /** `spreadUs` 0: all at once. */
  | { readonly kind: "spread"; readonly spreadUs: number; readonly distribution: "linear" | "uniform" };

/** One stream of telemetry of every thing in a group; its name is the given one, or `telemetry-<index>`. */
export interface TelemetrySpec extends Omit<TelemetryPlan, "stream"> {
  /** Payload key that holds `{seq}`, when the author named one; see `traceFieldOf`. */
  readonly traceField: string | undefined;
}

/** Which shadow a device follows and how long it takes to apply a change, in µs. */
export interface ShadowSpec {
  /** `undefined` is the classic shadow. */
  readonly name: string | undefined;
  readonly applyTime: Distribution | undefined;
}

/** How a device updates itself: the time it takes in µs and the size of a download's blocks. */
export interface OtaSpec {
  readonly executionTime: Distribution | undefined;
  readonly blockBytes: number | undefined;
}

/** Members of the fleet that are boards. */
export interface BridgeSpec {
  readonly id: string;
  /** One thing, or the first `count` members of a group; `count` undefined is all of it. */
  readonly members:
    | { readonly thing: string }
    | { readonly group: string; readonly count: number | undefined };
  readonly select: BoardSelector;
  readonly path: "bridge" | "direct";
  readonly profile: string;
  /** The run cannot do without them: asked for on the command line. Otherwise their members are skipped. */
  readonly isRequired: boolean;
}

/** The bench that boards hang on. */
export interface BenchSpec {
  /** Relative to the scenario's folder. */
  readonly file: string | undefined;
  /** Address of this machine as boards with a network of their own see it. */
  readonly host: string | undefined;
}

/** AWS topic-rule fields, verbatim. */
export interface RuleSpec {
  readonly name: string;
  readonly sql: string;
  readonly description: string | undefined;
  readonly awsIotSqlVersion: "2015-10-08" | "2016-03-23" | "beta";
  readonly ruleDisabled: boolean;
  readonly actions: readonly JsonObject[];
  readonly errorAction: JsonObject | undefined;
}

/** A part of the run with its own figures. */
export interface Stage {
  readonly name: string;
  /** Length, or with `until` the longest time to wait. */
  readonly durationUs: number;
  /** Ends the stage early; reaching `durationUs` first is a timeout. */
  readonly until: ConditionSpec | undefined;
  readonly measure: boolean;
  /** In the order of `atUs`; equal times keep the file's order. */
  readonly actions: readonly Action[];
}

/** A condition with its text and its place in the file. */
export interface ConditionSpec {
  readonly text: string;
  readonly condition: Expectation;
  readonly position: SourcePosition;
}

interface ActionCommon {
  /** Given, or `<stage>#<index>` with the index in the file. */
  readonly id: string;
  /** From the start of the stage. */
  readonly atUs: number;
  readonly position: SourcePosition;
}

/** Something that is done to the fleet or the cloud at an instant of its stage. */
export type Action = ActionCommon & ActionVerb;

/** What an action does, told apart by `verb`; times in µs. */
export type ActionVerb =
  | { readonly verb: "connect"; readonly select: Selection; readonly overUs: number }
  | {
      readonly verb: "disconnect";
      readonly select: Selection;
      readonly mode: DisconnectMode;
      readonly overUs: number;
      readonly holdUs: number;
      readonly repeat: number;
    }
  | {
      readonly verb: "setState";
      readonly select: Selection;
      readonly values: Readonly<Record<string, StateChange>>;
    }
  | {
      readonly verb: "updateShadow";
      readonly select: Selection;
      readonly shadowName: string | undefined;
      readonly desired: JsonObject;
      readonly version: number | undefined;
    }
  | {
      readonly verb: "createJob";
      readonly jobId: string;
      readonly targets: Selection;
      /** Instead of the things of a selection. */
      readonly thingGroup: string | undefined;
      /** The other fields of AWS CreateJob, verbatim. */
      readonly request: JsonObject;
    }
  | {
      readonly verb: "cancelJob";
      readonly jobId: string;
      readonly force: boolean;
      readonly reasonCode: string | undefined;
      readonly comment: string | undefined;
    }
  | {
      readonly verb: "inject";
      readonly fault: string;
      readonly select: Selection;
      readonly probability: number;
      /** `undefined`: to the end of the run. */
      readonly forUs: number | undefined;
      readonly detail: JsonObject;
    }
  | {
      readonly verb: "publish";
      /** `undefined`: one message from the harness. */
      readonly select: Selection | undefined;
      readonly topic: string;
      readonly payload: JsonValue;
      readonly qos: 0 | 1;
      readonly retain: boolean;
    }
  | {
      readonly verb: "attachPolicy" | "detachPolicy";
      readonly policyName: string;
      /** Instead of the certificates of a selection. */
      readonly thingGroup: string | undefined;
      readonly select: Selection;
    }
  | {
      readonly verb: "updateCertificate";
      readonly select: Selection;
      readonly newStatus: "ACTIVE" | "INACTIVE" | "REVOKED";
    }
  | {
      readonly verb: "rotateCertificates";
      readonly select: Selection;
      readonly overUs: number;
      readonly deactivateAfterUs: number;
    }
  | { readonly verb: "reset"; readonly select: Selection }
  | { readonly verb: "powerCycle"; readonly select: Selection; readonly offUs: number }
  | { readonly verb: "deepSleep"; readonly select: Selection; readonly forUs: number }
  | { readonly verb: "stimulate"; readonly select: Selection; readonly stimulus: BoardStimulus }
  | { readonly verb: "crash"; readonly select: Selection; readonly kind: CrashKind }
  | {
      readonly verb: "awaitLog";
      readonly select: Selection;
      readonly pattern: string;
      readonly withinUs: number;
      readonly survivesRestart: boolean;
    }
  | { readonly verb: "restartBroker"; readonly downForUs: number }
  | { readonly verb: "checkpoint"; readonly label: string };

/** An expectation of the run or of a sweep. */
export interface ExpectationSpec {
  /** The expression as written. */
  readonly text: string;
  readonly expectation: Expectation;
  /** For reports; the expression when none is given. */
  readonly name: string;
  readonly severity: "fail" | "warn";
  readonly abortOnFail: boolean;
  readonly delayAbortEvalUs: number;
  readonly allowEmpty: boolean;
  readonly position: SourcePosition;
}

/** The same scenario over many seeds, and in variants. */
export interface SweepSpec {
  readonly seeds: readonly number[];
  readonly expect: readonly ExpectationSpec[];
  /** `control` first, if there is one, then the others in the order of the file. */
  readonly variants: readonly SweepVariant[];
}

/** The same scenario with an override applied, checked like any other. */
export interface SweepVariant {
  readonly name: string;
  readonly scenario: Scenario;
  readonly expect: readonly ExpectationSpec[];
}

/** What is written after the run, and what it is compared with. */
export interface ReportSpec {
  /** Files that `--report-dir` writes. */
  readonly formats: readonly RendererName[];
  readonly baseline: BaselineSpec | undefined;
}

export interface BaselineSpec {
  /** Relative to the scenario's folder. */
  readonly file: string;
  /** Relative tolerance by metric or family, as a fraction. */
  readonly tolerance: Readonly<Record<string, number>>;
  readonly position: SourcePosition;
}
