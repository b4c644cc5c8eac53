import { compilePolicy, evaluatePolicies, parsePolicyDocument } from "fleetrig/broker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Device,
  type DeviceCertificate,
  policyText,
  PREFIX,
  startAccess,
  type Statement,
} from "./device.js";

const DEVICES = ["d0", "d1"] as const;
const POLICIES = ["p0", "p1", "p2"] as const;
const GROUPS = ["g0", "g1"] as const;
const TOPICS = ["a", "b", "d0/x", "site/1", "site/2"] as const;

const statement: fc.Arbitrary<Statement> = fc.tuple(
  fc.constantFrom("Allow", "Allow", "Deny"),
  fc.constantFrom("Publish", "Receive", "*"),
  fc.constantFrom(
    "*",
    "topic/a",
    "topic/${iot:ClientId}/*",
    "topic/${iot:Connection.Thing.ThingName}/*",
    "topic/site/${iot:Connection.Thing.Attributes[site]}",
  ),
);

/** What may happen between two messages. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant("policy"),
    policy: fc.constantFrom(...POLICIES),
    statements: fc.array(statement, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constantFrom("attach", "detach"),
    policy: fc.constantFrom(...POLICIES),
    device: fc.constantFrom(0, 1),
  }),
  fc.record({
    kind: fc.constantFrom("attachGroup", "detachGroup"),
    policy: fc.constantFrom(...POLICIES),
    group: fc.constantFrom(...GROUPS),
  }),
  fc.record({
    kind: fc.constantFrom("join", "leave"),
    device: fc.constantFrom(0, 1),
    group: fc.constantFrom(...GROUPS),
  }),
  fc.record({
    kind: fc.constantFrom("bind", "bindAlone", "unbind"),
    device: fc.constantFrom(0, 1),
    thing: fc.constantFrom(...DEVICES),
  }),
  fc.record({
    kind: fc.constant("site"),
    thing: fc.constantFrom(...DEVICES),
    site: fc.constantFrom("1", "2"),
  }),
) as fc.Arbitrary<Step>;

interface Step {
  readonly kind: string;
  readonly policy: string;
  readonly statements: readonly Statement[];
  readonly device: number;
  readonly group: string;
  readonly thing: string;
  readonly site: string;
}

class Plant {
  readonly world = startAccess();
  readonly certificates: DeviceCertificate[] = [];
  readonly devices: Device[] = [];

  async open(): Promise<void> {
    const { world } = this;
    const { registry, identity } = world.cloud;
    identity.policies.create("connect", policyText(["Allow", ["Connect", "Subscribe"], "*"]));
    for (const name of POLICIES) identity.policies.create(name, policyText(["Allow", "GetThingShadow", "*"]));
    for (const thingGroupName of GROUPS) registry.createThingGroup({ thingGroupName });
    for (const thingName of DEVICES) {
      registry.createThing({ thingName });
      const certificate = await world.certificate();
      identity.attachPolicy("connect", certificate.certificateId);
      const device = world.device(thingName, certificate);
      device.subscribe("#");
      this.certificates.push(certificate);
      this.devices.push(device);
    }
  }

  take(step: Step): void {
    const { registry, identity } = this.world.cloud;
    const principal = this.certificates[step.device]?.certificateArn ?? "";
    const target = this.certificates[step.device]?.certificateId ?? "";
    const membership = { thingName: DEVICES[step.device] ?? "", thingGroupName: step.group };
    const { versions } = identity.policies.find(step.policy) ?? { versions: [] };
    switch (step.kind) {
      case "policy":
        identity.policies.createVersion(step.policy, {
          policyDocument: policyText(...step.statements),
          setAsDefault: true,
        });
        for (const { versionId } of versions.slice(0, -1))
          identity.policies.deleteVersion(step.policy, versionId);
        break;
      case "attach":
        identity.attachPolicy(step.policy, target);
        break;
      case "detach":
        identity.detachPolicy(step.policy, target);
        break;
      case "attachGroup":
        identity.attachPolicy(step.policy, `thinggroup/${step.group}`);
        break;
      case "detachGroup":
        identity.detachPolicy(step.policy, `thinggroup/${step.group}`);
        break;
      case "join":
        registry.addThingToThingGroup(membership);
        break;
      case "leave":
        registry.removeThingFromThingGroup(membership);
        break;
      case "site":
        registry.updateThing({ thingName: step.thing, attributes: { site: step.site } });
        break;
      case "unbind":
        registry.principals.detach({ thingName: step.thing, principal });
        break;
      default:
        registry.principals.attach({
          thingName: step.thing,
          principal,
          thingPrincipalType: step.kind === "bindAlone" ? "EXCLUSIVE_THING" : "NON_EXCLUSIVE_THING",
        });
    }
  }

  /** By the registry and the policies as they are now, with nothing remembered. */
  expected(ordinal: number, action: string, topic: string): boolean {
    const { registry, identity } = this.world.cloud;
    const { certificateId } = this.certificates[ordinal]!;
    const clientId = DEVICES[ordinal]!;
    const found = registry.principals.thingOfConnection(certificateId, clientId)?.thing;
    const groups = found === undefined ? [] : registry.lineageOf(found.name);
    const targets = [certificateId, ...groups.map((group) => `thinggroup/${group}`)];
    const names = new Set(targets.flatMap((target) => identity.targets.policiesOf(target)));
    const policies = Array.from(names, (name) => {
      const { policyDocument } = identity.policies.defaultVersion(identity.policies.get(name));
      return compilePolicy(parsePolicyDocument(policyDocument), name);
    });
    const values = new Map([
      ["iot:ClientId", clientId],
      ...(found === undefined ? [] : [["iot:Connection.Thing.ThingName", found.name] as const]),
      ...Object.entries(found?.attributes ?? {}).map(
        ([name, value]) => [`iot:Connection.Thing.Attributes[${name}]`, value] as const,
      ),
    ]);
    const context = { value: (key: string) => values.get(key) };
    return (
      evaluatePolicies(policies, { action, resource: `${PREFIX}:topic/${topic}`, context }).outcome ===
      "allowed"
    );
  }
}

/** Steps that make no sense where things stand are refused, and change nothing. */
function attempt(plant: Plant, step: Step): void {
  try {
    plant.take(step);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
  }
}

/** A certificate is attached to a thing exclusively, and then not exclusively any more. */
const NO_LONGER_ALONE = [
  { kind: "attach", policy: "p0", device: 1 },
  { kind: "bindAlone", device: 1, thing: "d0" },
  {
    kind: "policy",
    policy: "p0",
    statements: [["Allow", "Publish", "topic/${iot:Connection.Thing.ThingName}/*"]],
  },
  { kind: "bind", device: 1, thing: "d0" },
] as unknown as Step[];

describe("remembered decisions", () => {
  it("are those of the moment, whatever changed before", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const plant = new Plant();
        await plant.open();
        for (const next of steps) {
          attempt(plant, next);
          for (const [ordinal, device] of plant.devices.entries()) {
            for (const topic of TOPICS) {
              device.packets.length = 0;
              const wasTaken = device.publish(topic) === 0;
              expect({ next, ordinal, topic, wasTaken }).toEqual({
                next,
                ordinal,
                topic,
                wasTaken: plant.expected(ordinal, "iot:Publish", topic),
              });
              device.packets.length = 0;
              plant.world.cloud.broker.publish({ topic, payload: "x", qos: 0 });
              expect({ topic, count: device.received.length }).toEqual({
                topic,
                count: plant.expected(ordinal, "iot:Receive", topic) ? 1 : 0,
              });
            }
          }
        }
      }),
      { numRuns: 60, examples: [[NO_LONGER_ALONE]] },
    );
  });
});
