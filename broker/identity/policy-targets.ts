import { parseArn } from "../account.js";
import { cloudError } from "../cloud-error.js";
import type { RecordTable } from "../records/index.js";
import type { IdentityTableOptions } from "./certificates.js";
import { decodeMarker, encodeMarker, type MarkerPage, type MarkerPageRequest } from "./creation-order.js";
import type { IdentityLimits } from "./settings.js";

/**
 * What a policy can be attached to, as one text: a certificate by its id, an Amazon Cognito identity by its own name
 * (`us-east-1:<uuid>`), a thing group as `thinggroup/<name>`. The former two are also the names of principals.
 */
export type PolicyTarget = string;

const GROUP_PREFIX = "thinggroup/";
const CERTIFICATE_ID = /^[0-9a-f]{64}$/;
const COGNITO_ID = /^[a-z]{2}(-[a-z]{1,12}){1,3}-\d:[0-9a-f-]{1,64}$/;

export const groupTarget = (thingGroupName: string): PolicyTarget => `${GROUP_PREFIX}${thingGroupName}`;

/** The name of the group that a target is. */
export const groupOf = (target: PolicyTarget): string | undefined =>
  target.startsWith(GROUP_PREFIX) ? target.slice(GROUP_PREFIX.length) : undefined;

/** The id of the certificate that a target or principal is. */
export const certificateOf = (target: PolicyTarget): string | undefined =>
  CERTIFICATE_ID.test(target) ? target : undefined;

/**
 * Reads a target as requests name it: ARN of a certificate or thing group, or the id of a Cognito identity.
 * @throws FleetrigError CLOUD_INVALID_REQUEST
 */
export function parsePolicyTarget(text: string): PolicyTarget {
  if (COGNITO_ID.test(text)) return text;
  const arn = parseArn(text);
  if (arn?.kind === "cert" && CERTIFICATE_ID.test(arn.name)) return arn.name;
  if (arn?.kind === "thinggroup" || arn?.kind === "dynamic-thing-group") return groupTarget(arn.name);
  throw cloudError("InvalidRequestException", `${JSON.stringify(text)} is nothing that has policies.`, {
    hint: "Use the ARN of a certificate or thing group, or the id of an Amazon Cognito identity.",
  });
}

const DEFAULT_PAGE_SIZE = 25;

/** Which policies are attached to what. */
export class PolicyTargets {
  /** Names of policies by target, in the order in which they were attached. */
  private readonly table: RecordTable<readonly string[]>;
  private readonly byPolicy = new Map<string, Set<PolicyTarget>>();

  constructor(private readonly options: IdentityTableOptions & { readonly limits: IdentityLimits }) {
    this.table = options.records.table<readonly string[]>("policy-targets", {
      write: (names) => [...names],
      read: (value) =>
        Array.isArray(value) && value.every((name) => typeof name === "string") ? value : undefined,
    });
    options.records.whenRestored(() => this.restored());
  }

  /** Names of the policies attached to this very target. */
  policiesOf(target: PolicyTarget): readonly string[] {
    return this.table.get(target) ?? NONE;
  }

  isAttached(policyName: string): boolean {
    return this.byPolicy.has(policyName);
  }

  /** All that it is attached to. */
  allTargetsOf(policyName: string): ReadonlySet<PolicyTarget> {
    return this.byPolicy.get(policyName) ?? NO_TARGETS;
  }

  /** Idempotent. @throws FleetrigError CLOUD_LIMIT_EXCEEDED */
  attach(policyName: string, target: PolicyTarget): void {
    const names = this.policiesOf(target);
    if (names.includes(policyName)) return;
    const { policiesPerPrincipal, policiesPerThingGroup } = this.options.limits;
    const most = groupOf(target) === undefined ? policiesPerPrincipal : policiesPerThingGroup;
    if (names.length >= most)
      throw cloudError(
        "LimitExceededException",
        `${target} has ${names.length} policies, as many as it may.`,
      );
    this.table.set(target, [...names, policyName]);
    this.index(policyName, target);
    this.options.events.emit({ kind: "attachment", change: "attached", policyName, target });
  }

  /** Idempotent. */
  detach(policyName: string, target: PolicyTarget): void {
    const names = this.policiesOf(target);
    if (!names.includes(policyName)) return;
    const rest = names.filter((name) => name !== policyName);
    if (rest.length === 0) this.table.delete(target);
    else this.table.set(target, rest);
    const targets = this.byPolicy.get(policyName)!;
    targets.delete(target);
    if (targets.size === 0) this.byPolicy.delete(policyName);
    this.options.events.emit({ kind: "attachment", change: "detached", policyName, target });
  }

  /** The target is gone. */
  detachAll(target: PolicyTarget): void {
    for (const policyName of this.policiesOf(target)) this.detach(policyName, target);
  }

  /** Targets of a policy, in the order in which it was attached. */
  targetsOf(
    policyName: string,
    request: MarkerPageRequest = {},
    matches: (target: PolicyTarget) => boolean = () => true,
  ): MarkerPage<PolicyTarget> {
    const targets = Array.from(this.byPolicy.get(policyName) ?? NONE).filter(matches);
    return pageOfNames(request.ascendingOrder === false ? targets.reverse() : targets, request);
  }

  private index(policyName: string, target: PolicyTarget): void {
    let targets = this.byPolicy.get(policyName);
    if (targets === undefined) this.byPolicy.set(policyName, (targets = new Set()));
    targets.add(target);
  }

  private restored(): void {
    for (const [target, names] of this.table.entries()) for (const name of names) this.index(name, target);
  }
}

const NONE: readonly string[] = [];
const NO_TARGETS: ReadonlySet<PolicyTarget> = new Set();

/** One page of a list of names; the marker is the last name shown, and where it is gone the list begins again. */
export function pageOfNames(
  names: readonly string[],
  { marker, pageSize = DEFAULT_PAGE_SIZE }: MarkerPageRequest,
): MarkerPage<string> {
  const start = marker === undefined ? 0 : names.indexOf(decodeMarker(marker)) + 1;
  const items = names.slice(start, start + pageSize);
  const isLast = start + pageSize >= names.length;
  return { items, nextMarker: isLast ? undefined : encodeMarker(items.at(-1)!) };
}
