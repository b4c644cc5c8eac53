import { readFileSync } from "node:fs";

/** One of AWS IoT's APIs, as the service models of AWS's SDKs describe it (made by `.ci/service-models.mjs`). */
export interface ServiceModel {
  readonly service: ServiceName;
  /** The word that SigV4 scopes have for it. */
  readonly signingName: string;
  readonly apiVersion: string;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Control plane, data plane, and the jobs of devices. */
export type ServiceName = "iot" | "iot-data" | "iot-jobs-data";

export interface OperationModel {
  readonly method: string;
  /** With `{thingName}` for one segment and `{arn+}` for all that follow. */
  readonly path: string;
  /** Of a success; 200 unless said otherwise. */
  readonly status?: number;
  readonly input?: string;
  readonly output?: string;
  readonly errors?: readonly string[];
}

export interface Shape {
  readonly type:
    | "structure"
    | "string"
    | "list"
    | "integer"
    | "boolean"
    | "map"
    | "long"
    | "double"
    | "timestamp"
    | "blob";
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  /** The member that is the whole body. */
  readonly payload?: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly member?: string;
  readonly key?: string;
  readonly value?: string;
  readonly exception?: boolean;
  readonly status?: number;
  readonly sensitive?: boolean;
}

export interface Member {
  readonly shape: string;
  readonly location?: "uri" | "querystring" | "header" | "headers" | "statusCode";
  readonly locationName?: string;
  /** The SDK makes one up where the caller gives none. */
  readonly idempotencyToken?: boolean;
}

/** In the order in which a path that several of them have is tried. */
export const SERVICE_NAMES: readonly ServiceName[] = ["iot", "iot-data", "iot-jobs-data"];

const loaded = new Map<ServiceName, ServiceModel>();

/** Read on first use: most processes that embed a broker never ask. */
export function serviceModel(service: ServiceName): ServiceModel {
  let model = loaded.get(service);
  if (model === undefined) {
    const text = readFileSync(new URL(`./model/${service}.json`, import.meta.url), "utf8");
    model = JSON.parse(text) as ServiceModel;
    loaded.set(service, model);
  }
  return model;
}
