/** What ARNs are made of. */
export interface AccountOptions {
  /** 12 digits. Default 000000000000. */
  readonly accountId?: string;
  /** Default us-east-1. */
  readonly region?: string;
  /** Default aws. */
  readonly partition?: string;
}

/** Resources of AWS IoT by the word that their ARNs begin with. */
export type ArnKind =
  | "authorizer"
  | "billinggroup"
  | "cacert"
  | "cert"
  | "client"
  | "command"
  | "domainconfiguration"
  | "dynamic-thing-group"
  | "fleetmetric"
  | "index"
  | "job"
  | "jobtemplate"
  | "mitigationaction"
  | "otaupdate"
  | "policy"
  | "provisioningtemplate"
  | "rolealias"
  | "rule"
  | "scheduledaudit"
  | "stream"
  | "thing"
  | "thinggroup"
  | "thingtype"
  | "topic"
  | "topicfilter";

/** The account that everything belongs to. */
export class Account {
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  /** `arn:aws:iot:us-east-1:000000000000`. */
  readonly arnPrefix: string;

  constructor({ accountId = "000000000000", region = "us-east-1", partition = "aws" }: AccountOptions = {}) {
    this.accountId = accountId;
    this.region = region;
    this.partition = partition;
    this.arnPrefix = `arn:${partition}:iot:${region}:${accountId}`;
  }

  arn(kind: ArnKind, name: string): string {
    return `${this.arnPrefix}:${kind}/${name}`;
  }

  /** The same account as a client of another region addresses it. */
  in(region: string): Account {
    if (region === this.region) return this;
    return new Account({ accountId: this.accountId, region, partition: this.partition });
  }
}

/** An ARN's resource, whatever its region and account: `thing/t1` as kind and name. Undefined for what is none of IoT's. */
export function parseArn(arn: string): { readonly kind: string; readonly name: string } | undefined {
  const [, kind, name] =
    /^arn:[a-z-]{1,20}:iot:[a-z0-9-]{0,32}:\d{0,12}:([a-z-]{1,40})\/(.{1,512})$/s.exec(arn) ?? [];
  return kind === undefined || name === undefined ? undefined : { kind, name };
}
