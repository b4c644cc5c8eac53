import type { Clock, FleetrigError, Random } from "fleetrig/kernel";
import type { Caller, HttpRequest } from "../api/http.js";
import type { HookRunner } from "../hooks/index.js";
import type { RecordBook } from "../records/index.js";
import type { Authorization } from "./authorizer-response.js";
import { AuthorizerStore } from "./authorizer-store.js";
import { CustomAuthorization, type DomainAuthorizers } from "./custom-authorization.js";
import { HttpAuthorization } from "./http-authorization.js";
import { MqttAuthorization } from "./mqtt-authorization.js";
import { testInvoke, type TestInvokeRequest } from "./test-invoke.js";

export interface AuthorizersOptions {
  readonly clock: Clock;
  /** For connection ids. */
  readonly random: Random;
  readonly records: RecordBook;
  readonly hooks: HookRunner;
  /** What the domain configuration of a server name says about authorizers. Default: nothing. */
  readonly domainOf?: (serverName: string) => DomainAuthorizers | undefined;
}

/** Custom authorizers (REF §12): the account's own functions say who clients are and what they may do. */
export class Authorizers {
  readonly store: AuthorizerStore;
  private readonly custom: CustomAuthorization;
  private readonly http: HttpAuthorization;

  constructor(private readonly options: AuthorizersOptions) {
    const { clock, random, records, hooks, domainOf = () => undefined } = options;
    this.store = new AuthorizerStore(clock, records);
    this.custom = new CustomAuthorization({ random, hooks, store: this.store, domainOf });
    this.http = new HttpAuthorization(clock, this.custom);
  }

  /** As `HttpAuthorization.callerOf`: undefined where a request is none of an authorizer's business. */
  callerOf(request: HttpRequest, known: Caller): Promise<Caller | FleetrigError> | undefined {
    return this.http.callerOf(request, known);
  }

  /**
   * The part that identifies MQTT clients: to be added to the broker's hooks and to the sources of access control.
   * @param changed Told of principals whose policies or validity have changed.
   */
  forMqtt(changed: (principalIdentifier: string) => void): MqttAuthorization {
    const { clock } = this.options;
    return new MqttAuthorization({ clock, custom: this.custom, changed });
  }

  /** AWS: TestInvokeAuthorizer. Undefined where the authorizer says no. */
  testInvoke(request: TestInvokeRequest): Promise<Authorization | undefined> {
    return testInvoke(this.custom, request);
  }
}
