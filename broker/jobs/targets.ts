/** Who a job is for. The registry decides; this file only reads AWS's ways of naming things and groups. */

/** The registry's side: who belongs to a target, and who comes and goes. */
export interface JobTargets {
  /**
   * Things of a target, each once, in registry order (the order of the rollout).
   * @param target A thing name, or `group:<name>`. Unknown targets have no members.
   */
  membersOf(target: string): readonly string[];
  /** Tells an empty group from one that does not exist. Without it, a target is known when it has members. */
  isKnown?(target: string): boolean;
  /** Tells about groups gaining and losing things; needed for CONTINUOUS jobs and deleted things. */
  onMembershipChange?(listener: (change: MembershipChange) => void): void;
}

/** A thing joined or left a target, or ceased to exist. */
export type MembershipChange =
  /** `target` is `group:<name>`. */
  | { readonly kind: "joined" | "left"; readonly target: string; readonly thing: string }
  | { readonly kind: "deleted"; readonly thing: string };

const ARN = /^arn:[^:/]*:iot:[^:/]*:[^:/]*:(thing|thinggroup)\/(.+)$/;

/** `arn:…:thing/T` → `T`, `arn:…:thinggroup/G` → `group:G`; plain names stay. */
export function targetName(target: string): string {
  const match = ARN.exec(target);
  if (match === null) return target;
  return match[1] === "thing" ? match[2]! : `group:${match[2]!}`;
}

/** The ARN of a target; ARNs stay. */
export function targetArn(target: string, prefix: string): string {
  if (target.startsWith("arn:")) return target;
  return target.startsWith("group:") ? `${prefix}:thinggroup/${target.slice(6)}` : thingArn(target, prefix);
}

export const thingArn = (thing: string, prefix: string): string => `${prefix}:thing/${thing}`;
