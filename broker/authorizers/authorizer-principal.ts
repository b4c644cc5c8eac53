import type { Principal } from "../identity/index.js";
import type { CompiledPolicy } from "../policy/index.js";
import type { Authorization } from "./authorizer-response.js";

/** Who an authorizer says a client is. It is no certificate: nothing can be attached to it. */
export class AuthorizerPrincipal implements Principal {
  readonly principalIdentifier: string;
  readonly target = undefined;
  private obstacle: string | undefined;
  private current: readonly CompiledPolicy[];

  /** @param expiresAtUs Fixed when the connection begins, whatever later answers say (REF §12). */
  constructor(
    { principalId, policies }: Authorization,
    readonly expiresAtUs: number,
  ) {
    this.principalIdentifier = principalId;
    this.current = policies;
  }

  policies(): readonly CompiledPolicy[] {
    return this.current;
  }

  refusal(): string | undefined {
    return this.obstacle;
  }

  renew({ policies }: Authorization): void {
    this.current = policies;
  }

  revoke(explanation: string): void {
    this.obstacle = explanation;
  }
}
