import type { Account } from "../account.js";
import type { Cloud } from "../cloud.js";
import type { ServiceName } from "./service-model.js";
import type { Caller } from "./http.js";

/** What an operation knows of the request besides its input. */
export interface ApiCall {
  readonly cloud: Cloud;
  readonly caller: Caller;
  /** As the caller addresses it: the region is the one that the request was signed for. */
  readonly account: Account;
  /** Milliseconds since 1970, by the cloud's clock. */
  readonly nowMs: number;
  readonly sourceIp: string;
}

/** What a client with a certificate or an authorizer needs a policy for. */
export interface RequiredAccess {
  /** Such as `iot:GetThingShadow`. */
  readonly action: string;
  /** The ARN's end, such as `thing/t1`. */
  readonly resource: string;
}

/**
 * The output by the names of the service model; members that are undefined are left out. Timestamps are epoch seconds.
 */
export type OperationOutput = Readonly<Record<string, unknown>> | undefined;

/** One operation: it translates between the API and the services, and holds no state. */
export interface Operation {
  /** Input is what the model says: checked, with absent members absent. Timestamps are epoch seconds, blobs are bytes. */
  handle(input: unknown, call: ApiCall): OperationOutput | Promise<OperationOutput>;
  /** Operations of the data plane, which devices may call; without it only operators may. */
  access?(input: unknown): RequiredAccess | readonly RequiredAccess[];
  /** What AWS's does and this does not, as one sentence; such operations count as partly supported. */
  readonly lacks?: string;
}

/** Operations of one family, by the names of the service model. */
export type OperationTable = Readonly<Record<string, Operation>>;

/** Tables by service: what an `Api` serves. */
export type OperationCatalogue = Readonly<Record<ServiceName, OperationTable>>;

export interface OperationTraits<Input> {
  /** Several: all of them are needed. */
  readonly access?: (input: Input) => RequiredAccess | readonly RequiredAccess[];
  readonly lacks?: string;
}

/**
 * Makes an operation of a function on its input type. The cast is sound because input was validated by the model
 * that `Input` was written from.
 */
export function operation<Input>(
  handle: (input: Input, call: ApiCall) => OperationOutput | Promise<OperationOutput>,
  traits: OperationTraits<Input> = {},
): Operation {
  const { access, lacks } = traits;
  return {
    handle: (input, call) => handle(input as Input, call),
    ...(access !== undefined && { access: (input: unknown) => access(input as Input) }),
    ...(lacks !== undefined && { lacks }),
  };
}
