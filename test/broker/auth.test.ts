import type {
  AuthenticationOutcome,
  AuthenticationStep,
  BrokerHooks,
  ConnectDecision,
} from "fleetrig/broker";
import { type AuthPacket, REASON } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";

const METHOD = { authenticationMethod: "GUESS" };
const CONTINUE = REASON.continueAuthentication;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString();

/** Two questions, then a proof; `later` answers when the test says so. */
class Guess {
  readonly seen: AuthenticationStep[] = [];
  pending: ((outcome: AuthenticationOutcome) => void)[] = [];

  constructor(private readonly isLater = false) {}

  readonly authenticate: BrokerHooks["authenticate"] = (step, settle) => {
    this.seen.push({ ...step });
    if (step.method !== "GUESS") return "unsupported";
    const answers = ((step.memory as string[] | undefined) ?? []).concat(text(step.data) ?? "-");
    step.memory = answers;
    const outcome = this.judge(answers);
    if (!this.isLater) return outcome;
    this.pending.push(() => settle(outcome));
    return "later";
  };

  private judge(answers: readonly string[]): AuthenticationOutcome {
    if (answers.at(-1) === "wrong") return { refuse: REASON.notAuthorized, reasonString: "A wrong guess." };
    if (answers.length < 3) return { challenge: bytes(`question ${answers.length}`) };
    return { isAuthenticated: true, proof: bytes(answers.join("+")) };
  }
}

const say = (client: TestClient, data: string, fields: Partial<AuthPacket> = {}): void =>
  client.say({
    type: "auth",
    reasonCode: CONTINUE,
    ...METHOD,
    authenticationData: bytes(data),
    ...fields,
  });

const auths = (client: TestClient): AuthPacket[] => client.packets("auth") as AuthPacket[];

function start(hooks: Partial<BrokerHooks>): { bench: Bench; client: TestClient } {
  const bench = new Bench({ profile: "oasis", hooks });
  return { bench, client: bench.connect("client", { ...METHOD, authenticationData: bytes("one") }) };
}

function connected(hooks: Partial<BrokerHooks>): { bench: Bench; client: TestClient } {
  const { bench, client } = start(hooks);
  say(client, "two");
  say(client, "three");
  client.clear();
  return { bench, client };
}

describe("enhanced authentication in CONNECT", () => {
  it("takes as many AUTH packets as the hook asks for [MQTT-4.12.0-2] [MQTT-4.12.0-3]", () => {
    const guess = new Guess();
    const { client } = start(guess);
    expect(auths(client)).toMatchObject([{ reasonCode: CONTINUE, ...METHOD }]);
    say(client, "two");
    say(client, "three");
    expect(auths(client).map(({ authenticationData }) => text(authenticationData))).toEqual([
      "question 1",
      "question 2",
    ]);
    expect(client.connack).toMatchObject({ reasonCode: 0, ...METHOD });
    expect(text(client.connack.authenticationData)).toBe("one+two+three");
    expect(guess.seen.map(({ step, isReauthentication }) => [step, isReauthentication])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
  });

  it("waits for a hook that answers later", () => {
    const guess = new Guess(true);
    const { bench, client } = start(guess);
    for (const word of ["two", "three"]) {
      bench.advanceS(1);
      expect(client.packets("connack")).toEqual([]);
      guess.pending.shift()!("unsupported");
      say(client, word);
    }
    guess.pending.shift()!("unsupported");
    expect(client.connack.reasonCode).toBe(0);
  });

  it("ends with the refusal of the hook [MQTT-4.12.0-4]", () => {
    const { bench, client } = start(new Guess());
    say(client, "wrong");
    expect(client.connack).toMatchObject({
      reasonCode: REASON.notAuthorized,
      reasonString: "A wrong guess.",
    });
    expect(client.state).toBe("closed");
    expect(bench.eventsOf("broker.refused")).toMatchObject([{ clientId: "client", reason: "notAuthorized" }]);
  });

  it("knows only methods of a hook, and none under AWS [MQTT-4.12.0-1]", () => {
    const guess = new Guess();
    const cases = [
      new Bench({ profile: "oasis" }).connect("client", METHOD),
      new Bench({ profile: "oasis", hooks: guess }).connect("client", { authenticationMethod: "OTHER" }),
      new Bench({ profile: "aws", hooks: guess }).connect("client", METHOD),
    ];
    for (const client of cases) expect(client.connack.reasonCode).toBe(REASON.badAuthenticationMethod);
  });

  it("asks several hook sets until one knows the method, then `authorizeConnect`", () => {
    const asked: string[] = [];
    const { bench, client } = (() => {
      const made = new Bench({ profile: "oasis", hooks: { authenticate: () => "unsupported" } });
      made.broker.addHooks(new Guess());
      made.broker.addHooks({ authorizeConnect: (_, { clientId }) => (asked.push(clientId), "allow") });
      return { bench: made, client: made.connect("client", METHOD) };
    })();
    expect(asked).toEqual([]);
    say(client, "two");
    say(client, "three");
    expect(asked).toEqual(["client"]);
    expect(bench.broker.isConnected("client")).toBe(true);
  });

  it.each([
    { name: "another method [MQTT-4.12.0-5]", fields: { authenticationMethod: "OTHER" } },
    { name: "no method", fields: { authenticationMethod: undefined } },
    { name: "a re-authentication before CONNACK", fields: { reasonCode: REASON.reauthenticate } },
    { name: "a success of its own", fields: { reasonCode: REASON.success } },
  ])("refuses $name as a protocol error", ({ fields }) => {
    const { client } = start(new Guess());
    say(client, "two", fields as Partial<AuthPacket>);
    expect(client.connack.reasonCode).toBe(REASON.protocolError);
    expect(client.state).toBe("closed");
  });

  it("lets the client send nothing but AUTH and DISCONNECT meanwhile [MQTT-3.1.2-30]", () => {
    const { client } = start(new Guess());
    client.subscribe(["t"]);
    expect(client.connack.reasonCode).toBe(REASON.protocolError);
    const { bench, client: leaving } = start(new Guess());
    leaving.disconnect();
    expect(leaving.state).toBe("closed");
    expect(leaving.packets("connack")).toEqual([]);
    expect(bench.eventsOf("broker.refused")).toEqual([]);
  });

  it("does not take AUTH while the hook has not answered, nor from a client without a method", () => {
    const { client } = start(new Guess(true));
    say(client, "two");
    expect(client.connack.reasonCode).toBe(REASON.protocolError);
    const plain = new Bench({ profile: "oasis", hooks: new Guess() }).connect("plain");
    say(plain, "one");
    expect(plain.disconnectCode).toBe(REASON.protocolError);
  });

  it("ends with the connect deadline: who did not answer decides about the reason", () => {
    const silentClient = start(new Guess());
    silentClient.bench.advanceS(31);
    expect(silentClient.client.connack.reasonCode).toBe(REASON.notAuthorized);
    const guess = new Guess(true);
    const silentHook = start(guess);
    silentHook.bench.advanceS(31);
    expect(silentHook.client.connack.reasonCode).toBe(REASON.serverUnavailable);
    guess.pending[0]!("unsupported");
    expect(silentHook.client.inbox).toHaveLength(1);
  });
});

describe("re-authentication", () => {
  const begin = (client: TestClient, data = "one"): void =>
    say(client, data, { reasonCode: REASON.reauthenticate });

  it("runs beside everything else and ends with AUTH 0x00 [MQTT-4.12.1-1]", () => {
    const guess = new Guess();
    const { bench, client } = connected(guess);
    begin(client);
    client.subscribe(["t"]);
    say(client, "two");
    bench.broker.publish({ topic: "t", payload: "x", qos: 0 });
    say(client, "three");
    expect(client.inbox.map(({ type }) => type)).toEqual(["auth", "suback", "auth", "publish", "auth"]);
    expect(auths(client).map(({ reasonCode }) => reasonCode)).toEqual([CONTINUE, CONTINUE, 0]);
    expect(text(auths(client).at(-1)!.authenticationData)).toBe("one+two+three");
    expect(guess.seen.at(-1)).toMatchObject({ isReauthentication: true, step: 3 });
    expect(bench.eventsOf("broker.reauthenticated")).toMatchObject([{ clientId: "client" }]);
  });

  it("ends the connection when it fails [MQTT-4.12.1-2]", () => {
    const { bench, client } = connected(new Guess());
    begin(client, "wrong");
    expect(client.packets("disconnect")).toMatchObject([
      { reasonCode: REASON.notAuthorized, reasonString: "A wrong guess." },
    ]);
    expect(bench.eventsOf("broker.disconnected")).toMatchObject([{ reason: "AUTH_ERROR" }]);
  });

  it("must not be begun twice, nor answered without a question", () => {
    const twice = connected(new Guess()).client;
    begin(twice);
    begin(twice);
    expect(twice.disconnectCode).toBe(REASON.protocolError);
    const unasked = connected(new Guess()).client;
    say(unasked, "two");
    expect(unasked.disconnectCode).toBe(REASON.protocolError);
  });

  it("does not hang for ever", () => {
    const { bench, client } = connected(new Guess());
    begin(client);
    bench.advanceS(29);
    expect(client.state).toBe("open");
    bench.advanceS(2);
    expect(client.disconnectCode).toBe(REASON.notAuthorized);
  });
});

describe("a decision about CONNECT that comes later", () => {
  /** Hooks whose decisions the test makes. */
  function undecided(): { decisions: ((decision: ConnectDecision) => void)[]; bench: Bench } {
    const decisions: ((decision: ConnectDecision) => void)[] = [];
    const authorizeConnect: BrokerHooks["authorizeConnect"] = (_, __, decide) => {
      decisions.push(decide);
      return "later";
    };
    return { decisions, bench: new Bench({ profile: "oasis", hooks: { authorizeConnect } }) };
  }

  it("lets the client in, and what it sent meanwhile counts", () => {
    const { bench, decisions } = undecided();
    const client = bench.connect("client");
    client.subscribe(["t"]);
    client.publish("t", "early");
    expect(client.inbox).toEqual([]);
    decisions[0]!("allow");
    decisions[0]!({ refuse: REASON.banned });
    expect(client.inbox.map(({ type }) => type)).toEqual(["connack", "suback", "publish", "puback"]);
    expect(client.state).toBe("open");
  });

  it("refuses with everything the hook wants to say", () => {
    const { bench, decisions } = undecided();
    const client = bench.connect("client");
    const details = { reasonString: "Banned.", userProperties: [["until", "tomorrow"]] as const };
    decisions[0]!({ refuse: REASON.banned, ...details });
    expect(client.connack).toEqual({
      type: "connack",
      sessionPresent: false,
      reasonCode: REASON.banned,
      ...details,
    });
  });

  it("does not take a running connection over before it is made [MQTT-3.1.4-3]", () => {
    const { bench, decisions } = undecided();
    const first = bench.connect("client");
    decisions[0]!("allow");
    bench.connect("client");
    expect(first.state).toBe("open");
    decisions[1]!("allow");
    expect(first.disconnectCode).toBe(REASON.sessionTakenOver);
  });

  it("is ignored when the client is gone, and bounded by the connect deadline", () => {
    const { bench, decisions } = undecided();
    const gone = bench.connect("gone");
    gone.lose();
    decisions[0]!("allow");
    expect(gone.inbox).toEqual([]);
    for (const protocolVersion of [4, 5]) {
      const late = bench.connect("late", { protocolVersion });
      bench.advanceS(31);
      expect(late.connack).toMatchObject({ reasonCode: REASON.serverUnavailable });
      decisions.at(-1)!("allow");
      expect(bench.broker.isConnected("late")).toBe(false);
    }
  });

  it("bounds what a client may send meanwhile", () => {
    const { bench } = undecided();
    const many = bench.connect("many");
    for (let i = 0; i < 33; i += 1) many.publish("t", "x", { qos: 0 });
    const large = bench.connect("large");
    const packet = { type: "publish", topic: "t", qos: 0, retain: false, dup: false } as const;
    large.say({ ...packet, payload: Buffer.alloc(70_000) }, 70_010);
    for (const client of [many, large]) expect(client.connack.reasonCode).toBe(REASON.quotaExceeded);
  });

  it("asks the next hook set only after an `allow`, now or later", () => {
    const { bench, decisions } = undecided();
    const asked: string[] = [];
    bench.broker.addHooks({
      authorizeConnect: (_, { clientId }, decide) => {
        asked.push(clientId);
        decide("allow");
        return "later";
      },
    });
    const client = bench.connect("client");
    expect(asked).toEqual([]);
    decisions[0]!("allow");
    expect(asked).toEqual(["client"]);
    expect(client.connack.reasonCode).toBe(0);
  });
});
