/** What changed, for those who act on it at once: live connections, event configurations, audits. */
export type IdentityChange =
  | {
      readonly kind: "certificate";
      readonly change: "created" | "updated" | "deleted";
      readonly certificateId: string;
    }
  | {
      readonly kind: "caCertificate";
      readonly change: "created" | "updated" | "deleted";
      readonly certificateId: string;
    }
  /** `updated`: another version is in force. */
  | {
      readonly kind: "policy";
      readonly change: "created" | "updated" | "deleted";
      readonly policyName: string;
    }
  | {
      readonly kind: "attachment";
      readonly change: "attached" | "detached";
      readonly policyName: string;
      /** As in {@link PolicyTarget}. */
      readonly target: string;
    };

/** Tells everybody who asked, in the order of asking. */
export class IdentityEvents {
  private readonly listeners: ((change: IdentityChange) => void)[] = [];

  listen(listener: (change: IdentityChange) => void): void {
    this.listeners.push(listener);
  }

  emit(change: IdentityChange): void {
    for (const listener of this.listeners) listener(change);
  }
}
