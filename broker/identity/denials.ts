import type { Clock, ControlEvent, EventSink } from "fleetrig/kernel";
import { type AuthorizationDecision, explainDecision } from "../policy/index.js";

/** What was refused to whom, and why. */
export type Denial = Omit<Extract<ControlEvent, { readonly type: "access.denied" }>, "type">;

/** Who was refused. */
export interface DeniedClient {
  readonly principal: string;
  readonly clientId: string;
}

/** Refusals: an event each, and the last of them for whoever asks. */
export class Denials {
  /** A ring: `next` is the oldest once it is full. */
  private readonly ring: Denial[] = [];
  private next = 0;
  private counted = 0;

  constructor(
    private readonly clock: Clock,
    private readonly events: EventSink,
    private readonly kept: number,
  ) {}

  /** How many there were in all. */
  get count(): number {
    return this.counted;
  }

  /** The latest first. */
  list(): readonly Denial[] {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)].reverse();
  }

  /** A policy said no. */
  decided(client: DeniedClient, { decision, reason, statement }: ExplainedDecision): void {
    const { action, resource, outcome } = decision;
    if (outcome !== "allowed") this.report({ ...client, action, resource, outcome, statement, reason });
  }

  /** It never came to policies. */
  unproven(client: DeniedClient, facts: Pick<Denial, "action" | "resource" | "reason">): void {
    this.report({
      ...client,
      outcome: "credentials",
      statement: undefined,
      ...facts,
    });
  }

  private report(facts: Omit<Denial, "atUs">): void {
    const denial: Denial = { atUs: this.clock.nowUs(), ...facts };
    this.counted += 1;
    if (this.kept > 0) {
      this.ring[this.next] = denial;
      this.next = (this.next + 1) % this.kept;
    }
    this.events.emit({ type: "access.denied", ...denial });
  }
}

/** A decision with its reason in words; kept together because the same is refused again and again. */
export interface ExplainedDecision {
  readonly decision: AuthorizationDecision;
  readonly reason: string;
  readonly statement: string | undefined;
}

export function explained(decision: AuthorizationDecision): ExplainedDecision {
  return { decision, reason: explainDecision(decision), statement: statementOf(decision) };
}

function statementOf({ matched, reason }: AuthorizationDecision): string | undefined {
  const denying = matched.find(({ effect }) => effect === "Deny");
  const named = denying ?? (reason !== undefined && "statement" in reason ? reason.statement : undefined);
  if (named === undefined) return undefined;
  const sid = named.sid === undefined ? "" : ` (${JSON.stringify(named.sid)})`;
  return `statement ${named.index}${sid} of policy ${named.policyName}`;
}
