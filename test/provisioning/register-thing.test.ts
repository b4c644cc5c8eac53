import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCertificateAuthority } from "fleetrig/broker";
import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { newRequest } from "./requests.js";

const DOCUMENT = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: "*" }],
};

interface Resources {
  readonly thing?: object;
  readonly certificate?: object;
  readonly policy?: object;
  readonly overrides?: Readonly<Record<string, object>>;
}

const TYPES = { thing: "AWS::IoT::Thing", certificate: "AWS::IoT::Certificate", policy: "AWS::IoT::Policy" };

const templateWith = ({ overrides = {}, ...resources }: Resources): string =>
  JSON.stringify({
    Parameters: { Name: { Type: "String", Default: "t1" }, CSR: { Type: "String", Default: "" } },
    Resources: Object.fromEntries(
      Object.entries(resources).map(([id, Properties]) => [
        id,
        {
          Type: TYPES[id as keyof typeof TYPES],
          Properties,
          ...(overrides[id] && { OverrideSettings: overrides[id] }),
        },
      ]),
    ),
  });

/** Everything that a provisioning can change. */
interface State {
  readonly things: readonly object[];
  readonly policies: readonly string[];
  readonly certificates: readonly { readonly certificateId: string }[];
}

function stateOf({ cloud }: ApiWorld): State {
  const { registry, identity } = cloud;
  return {
    things: registry.listThings().things.map(({ thingName: name }) => {
      const { version: _, thingId: __, ...thing } = registry.describeThing(name);
      const principals = registry.principals.ofThing({ thingName: name }).items;
      return { ...thing, groups: [...registry.listThingGroupsForThing(name)].sort(), principals };
    }),
    policies: identity.policies.list({ pageSize: 250 }).items.map(({ policyName }) => policyName),
    certificates: identity.certificates.list({ pageSize: 250 }).items.map(({ certificateId, status }) => ({
      certificateId,
      status,
      policies: identity.targets.policiesOf(certificateId),
    })),
  };
}

async function worldWithGroups(): Promise<ApiWorld> {
  const random = createRandomSource(5).stream("ca");
  const issuer = createCertificateAuthority({ clock: new VirtualTime().lane(LANE.services), random });
  const world = startApi({ issuer });
  const { registry } = world.cloud;
  for (const thingGroupName of ["g1", "g2"]) registry.createThingGroup({ thingGroupName });
  for (const thingTypeName of ["type1", "type2"]) await world.ok("POST", `/thing-types/${thingTypeName}`, {});
  return world;
}

interface Registered {
  readonly certificatePem?: string;
  readonly resourceArns: Readonly<Record<string, string>>;
}

const register = ({ ok }: ApiWorld, resources: Resources, parameters: object = {}): Promise<Registered> =>
  ok("POST", "/things", { templateBody: templateWith(resources), parameters });

const WHOLE: Resources = {
  thing: {
    ThingName: { Ref: "Name" },
    ThingTypeName: "type1",
    ThingGroups: ["g1"],
    AttributePayload: { a: "1", b: "2" },
  },
  certificate: { CertificateSigningRequest: { Ref: "CSR" }, Status: "INACTIVE" },
  policy: { PolicyDocument: DOCUMENT },
};

describe("RegisterThing", () => {
  it("makes a thing, a certificate from a request, and a policy, and names them by their logical ids", async () => {
    const world = await worldWithGroups();
    const answer = await register(world, WHOLE, { Name: "sensor-1", CSR: newRequest() });
    const state = stateOf(world);
    const certificateId = state.certificates[0]?.certificateId;
    expect(answer).toEqual({
      certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
      resourceArns: {
        thing: "arn:aws:iot:us-east-1:000000000000:thing/sensor-1",
        certificate: `arn:aws:iot:us-east-1:000000000000:cert/${certificateId}`,
        policy: `arn:aws:iot:us-east-1:000000000000:policy/${state.policies[0]}`,
      },
    });
    expect(state).toMatchObject({
      things: [
        { thingName: "sensor-1", thingTypeName: "type1", groups: ["g1"], attributes: { a: "1", b: "2" } },
      ],
      certificates: [{ status: "INACTIVE", policies: state.policies }],
    });
    await register(world, WHOLE, { Name: "sensor-2", CSR: newRequest() });
    expect(stateOf(world).policies).toEqual(state.policies);
  });

  it.each<[what: string, overrides: object, expected: object]>([
    [
      "nothing without overrides",
      {},
      { attributes: { a: "0", c: "3" }, groups: ["g2"], thingTypeName: "type2" },
    ],
    [
      "everything with REPLACE",
      { AttributePayload: "REPLACE", ThingGroups: "REPLACE", ThingTypeName: "REPLACE" },
      { attributes: { a: "1", b: "2" }, groups: ["g1"], thingTypeName: "type1" },
    ],
    [
      "by addition with MERGE",
      { AttributePayload: "MERGE", ThingGroups: "MERGE" },
      { attributes: { a: "1", b: "2", c: "3" }, groups: ["g1", "g2"], thingTypeName: "type2" },
    ],
  ])("changes %s of a thing that exists", async (_, overrides, expected) => {
    const world = await worldWithGroups();
    const { registry } = world.cloud;
    registry.createThing({ thingName: "t1", thingTypeName: "type2", attributes: { a: "0", c: "3" } });
    registry.addThingToThingGroup({ thingName: "t1", thingGroupName: "g2" });
    await register(world, { thing: WHOLE.thing!, overrides: { thing: overrides } });
    expect(stateOf(world)).toMatchObject({ things: [expected] });
  });

  it("fails on what exists where the template says FAIL", async () => {
    const world = await worldWithGroups();
    world.cloud.registry.createThing({ thingName: "t1" });
    const before = stateOf(world);
    const overrides = { thing: { AttributePayload: "FAIL" } };
    const body = { templateBody: templateWith({ thing: WHOLE.thing!, overrides }) };
    expect(await world.refused("POST", "/things", body)).toMatchObject({
      name: "ConflictingResourceUpdateException",
      status: 409,
    });
    expect(stateOf(world)).toEqual(before);
  });

  it("takes a certificate of a registered authority, in whatever state it is", async () => {
    const world = await worldWithGroups();
    const own = createCertificateAuthority({
      clock: new VirtualTime().lane(LANE.services),
      random: createRandomSource(9).stream("own"),
      subject: { CommonName: "Own" },
    });
    await world.ok("POST", "/cacertificate?setAsActive=true", {
      caCertificate: own.caCertificatePem,
      certificateMode: "SNI_ONLY",
    });
    const { certificatePem } = await own.createKeysAndCertificate();
    const resources = { ...WHOLE, certificate: { CertificatePem: { Ref: "CSR" } } };
    for (const Name of ["t1", "t2"]) await register(world, resources, { Name, CSR: certificatePem });
    expect(stateOf(world)).toMatchObject({
      things: [{ thingName: "t1" }, { thingName: "t2" }],
      certificates: [{ status: "ACTIVE" }],
    });
  });

  it.each<[what: string, body: object, name: string]>([
    ["no JSON", { templateBody: "{" }, "InvalidRequestException"],
    [
      "a missing parameter",
      {
        templateBody: JSON.stringify({
          Parameters: { P: { Type: "String" } },
          Resources: { thing: { Type: TYPES.thing, Properties: { ThingName: { Ref: "P" } } } },
        }),
      },
      "InvalidRequestException",
    ],
    [
      "a name that things cannot have",
      { templateBody: templateWith({ thing: { ThingName: "a b" } }) },
      "ResourceRegistrationFailureException",
    ],
    [
      "an unknown certificate",
      { templateBody: templateWith({ certificate: { CertificateId: "0".repeat(64) } }) },
      "ResourceRegistrationFailureException",
    ],
    [
      "an unknown policy",
      { templateBody: templateWith({ policy: { PolicyName: "nope" } }) },
      "ResourceRegistrationFailureException",
    ],
    [
      "a policy document that is none",
      { templateBody: templateWith({ policy: { PolicyDocument: "{}" } }) },
      "ResourceRegistrationFailureException",
    ],
  ])("refuses %s", async (_, body, name) => {
    expect((await (await worldWithGroups()).refused("POST", "/things", body)).name).toBe(name);
  });

  it("makes up a name where the template has none", async () => {
    const { resourceArns } = await register(await worldWithGroups(), { thing: {} });
    expect(resourceArns.thing).toMatch(/thing\/[0-9a-f-]{36}$/);
  });

  it("leaves nothing behind when anything fails", async () => {
    const world = await worldWithGroups();
    world.cloud.registry.createThing({ thingName: "old", attributes: { x: "y" } });
    world.cloud.registry.addThingToThingGroup({ thingName: "old", thingGroupName: "g2" });
    const old = await world.ok("POST", "/keys-and-certificate?setAsActive=true");
    const csr = newRequest();
    let before = stateOf(world);
    const action = fc.constantFrom("REPLACE", "MERGE", "DO_NOTHING", "FAIL");
    const failures: readonly Resources[] = [
      { thing: { ...WHOLE.thing, ThingGroups: ["g1", "nope"] } },
      { thing: { ...WHOLE.thing, ThingTypeName: "nope" } },
      { thing: { ...WHOLE.thing, BillingGroup: "nope" } },
      { certificate: { CertificateSigningRequest: "nope" } },
      { policy: { PolicyDocument: { Version: "nope" } } },
      { policy: { PolicyName: "nope" } },
    ];
    const certificates = [WHOLE.certificate!, { CertificateId: old.certificateId as string }];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...failures),
        fc.constantFrom("new", "old"),
        fc.constantFrom(...certificates),
        fc.record({ AttributePayload: action, ThingGroups: action }),
        async (failure, Name, certificate, thing) => {
          const templateBody = templateWith({ ...WHOLE, certificate, ...failure, overrides: { thing } });
          const answer = await world.request("POST", "/things", {
            body: { templateBody, parameters: { Name, CSR: csr } },
          });
          // An old thing that is left alone does not need its type, groups or billing group.
          if (answer.status !== 200) expect(stateOf(world)).toEqual(before);
          else {
            expect(Name).toBe("old");
            before = stateOf(world);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
