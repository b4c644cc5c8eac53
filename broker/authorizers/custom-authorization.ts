import type { Random } from "fleetrig/kernel";
import type { HookRunner } from "../hooks/index.js";
import { uuidV4 } from "../uuid.js";
import { authorizerEvent } from "./authorizer-event.js";
import { type Authorization, readAuthorization } from "./authorizer-response.js";
import type { Authorizer, AuthorizerStore } from "./authorizer-store.js";
import { type Presented, PresentedValues } from "./presented-credentials.js";
import { isSigned } from "./token-signature.js";

/** Why nobody was identified. */
export type AuthorizationFailure =
  /** Authorizer, token or signature are not as they must be; the function was not asked. */
  | "credentials"
  /** The function did not answer. */
  | "hook"
  /** It answered something that makes no sense. */
  | "response"
  /** It said no. */
  | "denied";

/** What came of asking an authorizer. `explanation` is for the operator alone. */
export type Verdict =
  | { readonly ok: true; readonly authorization: Authorization }
  | { readonly ok: false; readonly failure: AuthorizationFailure; readonly explanation: string };

/** What a domain configuration says about authorizers. */
export interface DomainAuthorizers {
  readonly defaultAuthorizerName?: string;
  /** May clients name another one? Default true. */
  readonly allowAuthorizerOverride?: boolean;
}

export interface CustomAuthorizationOptions {
  readonly random: Random;
  readonly hooks: HookRunner;
  readonly store: AuthorizerStore;
  /** By the name that a client asked for in the handshake. */
  readonly domainOf: (serverName: string) => DomainAuthorizers | undefined;
}

/** Asks authorizers about clients. */
export class CustomAuthorization {
  constructor(private readonly options: CustomAuthorizationOptions) {}

  get store(): AuthorizerStore {
    return this.options.store;
  }

  /**
   * The authorizer that a client means, by name or as the default of its domain or of the account.
   * @returns a sentence where it cannot be asked; undefined where the client names none and there is no default.
   */
  chosenBy(values: PresentedValues, serverName: string | undefined): Authorizer | string | undefined {
    const { store, domainOf } = this.options;
    const domain = serverName === undefined ? undefined : domainOf(serverName);
    const { defaultAuthorizerName, allowAuthorizerOverride = true } = domain ?? {};
    const named = allowAuthorizerOverride ? values.authorizerName : undefined;
    const name = named ?? defaultAuthorizerName;
    const authorizer = name === undefined ? store.default : store.find(name);
    if (authorizer === undefined)
      return name === undefined ? undefined : `There is no authorizer ${JSON.stringify(name.slice(0, 128))}.`;
    return authorizer.status === "ACTIVE"
      ? authorizer
      : `Authorizer ${authorizer.authorizerName} is not active.`;
  }

  /** Takes a client's token and signature from where it presented them. */
  ask(authorizer: Authorizer, presented: Presented, decided: (verdict: Verdict) => void): void {
    const values = new PresentedValues(presented);
    const { tokenKeyName } = authorizer;
    const token = tokenKeyName === undefined ? undefined : values.find(tokenKeyName);
    this.askWith(authorizer, { presented, token, signature: values.signature }, decided);
  }

  /** `decided` is called exactly once, maybe before this returns. */
  askWith(authorizer: Authorizer, question: Question, decided: (verdict: Verdict) => void): void {
    const { hooks, random } = this.options;
    const { presented, token, signature } = question;
    const problem = this.signatureProblem(authorizer, token, signature);
    if (problem !== undefined) return decided({ ok: false, failure: "credentials", explanation: problem });
    const event = authorizerEvent(presented, {
      token,
      signatureVerified: !authorizer.signingDisabled,
      connectionId: uuidV4(random),
    });
    hooks.invoke(authorizer.authorizerFunctionArn, event, (outcome) => {
      const { authorizerName } = authorizer;
      if (!outcome.ok) {
        const explanation = `Authorizer ${authorizerName} did not answer: ${outcome.reason}.`;
        return decided({ ok: false, failure: "hook", explanation });
      }
      const read = readAuthorization(outcome.value, authorizerName);
      if (typeof read === "string")
        return decided({
          ok: false,
          failure: "response",
          explanation: `Authorizer ${authorizerName}: ${read}`,
        });
      return decided(
        read.isAuthenticated
          ? { ok: true, authorization: read }
          : {
              ok: false,
              failure: "denied",
              explanation: `Authorizer ${authorizerName} did not authenticate it.`,
            },
      );
    });
  }

  /** AWS: a function is not bothered with tokens that are not signed as they must be. */
  private signatureProblem(
    authorizer: Authorizer,
    token: string | undefined,
    signature: string | undefined,
  ): string | undefined {
    const { authorizerName, signingDisabled, tokenKeyName } = authorizer;
    if (signingDisabled) return undefined;
    if (token === undefined) return `Authorizer ${authorizerName} needs a token as ${tokenKeyName}.`;
    if (signature === undefined) return `Authorizer ${authorizerName} needs a signed token.`;
    return isSigned(token, signature, this.options.store.keysOf(authorizer))
      ? undefined
      : `The token's signature is wrong for authorizer ${authorizerName}.`;
  }
}

/** What an authorizer is asked about. */
export interface Question {
  readonly presented: Presented;
  readonly token: string | undefined;
  readonly signature: string | undefined;
}
