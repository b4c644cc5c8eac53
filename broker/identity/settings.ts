/** Choices and bounds of identity; AWS's quotas where it has them (REF §10.4). */
export interface IdentityLimits {
  /** Policies that one certificate or Cognito identity can have. Default 10. */
  readonly policiesPerPrincipal: number;
  /** Policies that one thing group can have. Default 2. */
  readonly policiesPerThingGroup: number;
  /** Versions of one policy that exist at the same time. Default 5. */
  readonly versionsPerPolicy: number;
  /** Length of a policy document without its white space. Default 2,048. */
  readonly policyCharacters: number;
  /** CA certificates with one subject. Default 10. */
  readonly authoritiesPerSubject: number;
}

export const DEFAULT_IDENTITY_LIMITS: IdentityLimits = {
  policiesPerPrincipal: 10,
  policiesPerThingGroup: 2,
  versionsPerPolicy: 5,
  policyCharacters: 2048,
  authoritiesPerSubject: 10,
};
