import { type Timer, US_PER_S } from "fleetrig/kernel";
import { type AuthPacket, type ConnackPacket, REASON, type UserProperty } from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import type { AuthenticationOutcome, AuthenticationStep, Refused } from "./hooks.js";

/** What CONNACK says about an authentication that succeeded. */
export type AuthenticationProof = Pick<ConnackPacket, "authenticationMethod" | "authenticationData">;

/** How an exchange ends. */
interface ExchangeEnd {
  succeeded(proof: AuthenticationProof): void;
  failed(refused: Refused): void;
}

/** What the client sent last. */
interface ClientWord {
  readonly data: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[] | undefined;
}

/** Between two AUTH packets: whose turn it is. */
interface Exchange {
  readonly isReauthentication: boolean;
  readonly end: ExchangeEnd;
  turn: "client" | "hook";
  step: number;
  memory: unknown;
}

/**
 * Enhanced authentication of one connection (§4.12): the hook answers each packet of the client, now or later, until
 * it is satisfied or not. The method is that of CONNECT for as long as the connection lives [MQTT-4.12.0-5].
 */
export class Authentication {
  private exchange: Exchange | undefined;
  /** A client that lets a re-authentication hang goes on with a proof that was asked to be renewed. */
  private deadline: Timer | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly method: string,
    private readonly username: string | undefined,
  ) {}

  /** Is it the client that has to speak? */
  get awaitsClient(): boolean {
    return this.exchange?.turn === "client";
  }

  /** The exchange of CONNECT: its end decides about the connection. */
  begin(word: ClientWord, end: ExchangeEnd): void {
    this.exchange = { isReauthentication: false, end, turn: "hook", step: 0, memory: undefined };
    this.ask(word);
  }

  /** AUTH from the client. */
  take(packet: AuthPacket): void {
    const { exchange, connection } = this;
    // [MQTT-4.12.0-5], [MQTT-4.12.1-1] another method would be another authentication.
    if (packet.authenticationMethod !== this.method) connection.fail(REASON.protocolError);
    else if (packet.reasonCode === REASON.continueAuthentication && exchange?.turn === "client")
      this.ask(wordOf(packet));
    else if (packet.reasonCode === REASON.reauthenticate && exchange === undefined && connection.isConnected)
      this.renew(packet);
    else connection.fail(REASON.protocolError);
  }

  /** The connection has ended. */
  stop(): void {
    this.exchange = undefined;
    this.deadline?.cancel();
  }

  private renew(packet: AuthPacket): void {
    const { connection } = this;
    const { core } = connection;
    const end: ExchangeEnd = {
      succeeded: (proof) => {
        connection.send({ type: "auth", reasonCode: REASON.success, ...proof });
        core.events.emit({
          type: "broker.reauthenticated",
          atUs: core.clock.nowUs(),
          clientId: connection.clientId,
        });
      },
      // [MQTT-4.12.1-2] a client that fails to renew its proof is disconnected.
      failed: (refused) => connection.deny(refused),
    };
    this.exchange = { isReauthentication: true, end, turn: "hook", step: 0, memory: undefined };
    const { connectDeadlineS } = core.limits;
    if (Number.isFinite(connectDeadlineS))
      this.deadline = core.clock.after(connectDeadlineS * US_PER_S, () =>
        connection.deny({ refuse: REASON.notAuthorized, reasonString: "The authentication took too long." }),
      );
    this.ask(wordOf(packet));
  }

  private ask(word: ClientWord): void {
    const exchange = this.exchange!;
    exchange.turn = "hook";
    exchange.step += 1;
    const step: AuthenticationStep = {
      clientId: this.connection.clientId,
      username: this.username,
      method: this.method,
      data: word.data,
      userProperties: word.userProperties,
      step: exchange.step,
      isReauthentication: exchange.isReauthentication,
      memory: exchange.memory,
    };
    const settle = (outcome: AuthenticationOutcome): void => {
      // An answer that comes after the end, or a second one, is nobody's.
      if (this.exchange !== exchange || exchange.turn !== "hook") return;
      exchange.memory = step.memory;
      this.conclude(exchange, outcome);
    };
    const outcome = this.connection.core.hooks.authenticate(step, settle);
    if (outcome !== "later") settle(outcome);
  }

  private conclude(exchange: Exchange, outcome: AuthenticationOutcome): void {
    const { method } = this;
    if (typeof outcome === "object" && "challenge" in outcome) {
      exchange.turn = "client";
      this.connection.send({
        type: "auth",
        reasonCode: REASON.continueAuthentication,
        authenticationMethod: method,
        authenticationData: outcome.challenge,
      });
      return;
    }
    this.stop();
    if (outcome === "unsupported")
      exchange.end.failed({
        refuse: REASON.badAuthenticationMethod,
        reasonString: `The authentication method ${method} is not known here.`,
      });
    else if ("refuse" in outcome) exchange.end.failed(outcome);
    else
      exchange.end.succeeded({
        authenticationMethod: method,
        ...(outcome.proof !== undefined && { authenticationData: outcome.proof }),
      });
  }
}

const wordOf = ({ authenticationData, userProperties }: AuthPacket): ClientWord => ({
  data: authenticationData,
  userProperties,
});
