import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { type PublishPacket, wireBytes } from "fleetrig/protocol";
import { createMemoryDialer, Enrolment, LinkFaults, PERFECT_LINK, Wallet } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { CONSTANT_1S, MQTT5, MS, SECOND } from "../connection/device-rig.js";
import { ScriptedBroker } from "../connection/scripted-broker.js";

const CREATE = "$aws/certificates/create/json";
const REGISTER = "$aws/provisioning-templates/fleet/provision/json";
const KEYS = {
  certificateId: "ab",
  certificatePem: "PEM",
  privateKey: "KEY",
  certificateOwnershipToken: "token",
};

type Answer = readonly [outcome: "accepted" | "rejected", body: object] | "silence";

/** One device with a claim, and a cloud that answers by script: the first answer to the first request, and so on. */
class EnrolmentRig {
  readonly time = new VirtualTime();
  readonly broker = new ScriptedBroker();
  readonly wallet = new Wallet({ certificateId: "claim", certificatePem: "", privateKeyPem: "" });
  readonly ends: string[] = [];
  readonly enrolment: Enrolment;
  private answered = 0;

  constructor(private readonly script: readonly Answer[]) {
    const clock = this.time.lane(LANE.firstDevice);
    const random = createRandomSource(1);
    const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
    this.enrolment = new Enrolment({
      thing: { name: "thing-0", ordinal: 0 },
      clock,
      random,
      run: "test",
      dialer: createMemoryDialer({
        acceptor: this.broker,
        clock,
        profile: PERFECT_LINK,
        random: random.stream("network"),
        wireBytes,
        version: 5,
        faults,
      }),
      mqtt: MQTT5,
      reconnect: CONSTANT_1S,
      wallet: this.wallet,
      templateName: "fleet",
      parameters: { Serial: "1" },
      handlers: {
        enrolled: (tookUs) => this.ends.push(`enrolled in ${tookUs / MS} ms`),
        notEnrolled: (reason) => this.ends.push(reason),
      },
    });
    this.enrolment.start(0);
  }

  /** Lets time pass; the cloud answers what was asked every 10 ms. */
  run(us: number): this {
    for (let passed = 0; passed < us; passed += 10 * MS) {
      this.time.advance(10 * MS);
      while (this.answered < Math.min(this.requests.length, this.script.length)) this.answer();
    }
    return this;
  }

  get requests(): readonly PublishPacket[] {
    return this.broker.publishes;
  }

  get topics(): readonly string[] {
    return this.requests.map(({ topic }) => topic);
  }

  private answer(): void {
    const answer = this.script[this.answered]!;
    const { topic } = this.requests[this.answered]!;
    this.answered += 1;
    if (answer === "silence") return;
    const [outcome, body] = answer;
    const payload = Buffer.from(JSON.stringify(body));
    this.broker.link.send({
      type: "publish",
      topic: `${topic}/${outcome}`,
      payload,
      qos: 0,
      retain: false,
      dup: false,
    });
  }
}

const accepted = (body: object): Answer => ["accepted", body];
const rejected = (statusCode: number, errorCode: string): Answer => ["rejected", { statusCode, errorCode }];
const REGISTERED = accepted({ thingName: "thing-0", deviceConfiguration: {} });

describe("Enrolment", () => {
  it("subscribes to the answers, asks for keys, registers with the token, disconnects", () => {
    const rig = new EnrolmentRig([accepted(KEYS), REGISTERED]).run(SECOND);
    expect(rig.broker.packets.map(({ type }) => type)).toEqual([
      "connect",
      "subscribe",
      "publish",
      "publish",
      "disconnect",
    ]);
    expect(rig.topics).toEqual([CREATE, REGISTER]);
    expect(JSON.parse(Buffer.from(rig.requests[1]!.payload).toString())).toEqual({
      certificateOwnershipToken: "token",
      parameters: { Serial: "1" },
    });
    expect(rig.ends).toEqual(["enrolled in 20 ms"]);
    expect(rig.wallet.shown).toEqual({ certificateId: "ab", certificatePem: "PEM", privateKeyPem: "KEY" });
  });

  it("shows the claim, not the new certificate, until it is registered", () => {
    const rig = new EnrolmentRig([accepted(KEYS), "silence"]).run(SECOND);
    expect(rig.wallet.shown?.certificateId).toBe("claim");
  });

  it("asks again by the reconnect policy where it is throttled or the service has a fault", () => {
    const rig = new EnrolmentRig([
      rejected(429, "TooManyRequests"),
      rejected(503, "ServiceUnavailable"),
      accepted(KEYS),
      rejected(429, "TooManyRequests"),
      REGISTERED,
    ]).run(10 * SECOND);
    expect(rig.topics).toEqual([CREATE, CREATE, CREATE, REGISTER, REGISTER]);
    expect(rig.ends).toHaveLength(1);
    expect(rig.wallet.own?.certificateId).toBe("ab");
  });

  it("repeats a request that nobody answers for ten seconds", () => {
    const rig = new EnrolmentRig(["silence", accepted(KEYS), REGISTERED]).run(12 * SECOND);
    expect(rig.topics).toEqual([CREATE, CREATE, REGISTER]);
    expect(rig.wallet.own).toBeDefined();
  });

  it("begins anew with other keys when the token is worth nothing any more", () => {
    const rig = new EnrolmentRig([
      accepted(KEYS),
      rejected(400, "InvalidCertificateOwnershipToken"),
      accepted({ ...KEYS, certificateId: "cd" }),
      REGISTERED,
    ]).run(5 * SECOND);
    expect(rig.topics).toEqual([CREATE, REGISTER, CREATE, REGISTER]);
    expect(rig.wallet.own?.certificateId).toBe("cd");
  });

  it.each([
    ["the hook denies it", rejected(403, "ACCESS_DENIED"), "ACCESS_DENIED"],
    ["the thing is somebody else", accepted({ thingName: "thing-1" }), "ThingNameDiffers"],
  ])("gives up where %s", (_, answer, reason) => {
    const rig = new EnrolmentRig([accepted(KEYS), answer]).run(30 * SECOND);
    expect(rig.ends).toEqual([reason]);
    expect(rig.wallet.own).toBeUndefined();
    expect(rig.broker.connects).toHaveLength(1);
  });

  it("connects again after a loss, and registers the certificate that it has already", () => {
    const rig = new EnrolmentRig([accepted(KEYS), "silence", REGISTERED]).run(100 * MS);
    rig.broker.link.destroy();
    rig.run(3 * SECOND);
    expect(rig.broker.connects).toHaveLength(2);
    expect(rig.topics.filter((topic) => topic === CREATE)).toHaveLength(1);
    expect(rig.ends).toHaveLength(1);
    expect(rig.wallet.own?.certificateId).toBe("ab");
  });

  it.each(["", "null", "[]", '{"certificateId":1}', "{".repeat(100)])(
    "makes nothing of the answer %j",
    (text) => {
      const rig = new EnrolmentRig(["silence"]).run(SECOND);
      rig.broker.link.send({
        type: "publish",
        topic: `${CREATE}/accepted`,
        payload: Buffer.from(text),
        qos: 0,
        retain: false,
        dup: false,
      });
      rig.run(SECOND);
      expect(rig.topics).toEqual([CREATE]);
      expect(rig.ends).toEqual([]);
    },
  );
});
