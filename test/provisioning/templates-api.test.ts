import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { PaperJournal } from "../records/paper-journal.js";

const BODY = JSON.stringify({
  Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: "t" } } },
});
const TEMPLATE = {
  templateName: "t1",
  templateBody: BODY,
  provisioningRoleArn: "arn:aws:iam::000000000000:role/r",
};
const HOOK = { targetArn: "arn:aws:lambda:us-east-1:1:function:gate", payloadVersion: "2020-04-01" };
const PATH = "/provisioning-templates";

const worldWith = async (extras: object = {}): Promise<ApiWorld> => {
  const world = startApi();
  await world.ok("POST", PATH, { ...TEMPLATE, ...extras });
  return world;
};

const idsOf = (answer: { versions: readonly { versionId: number; isDefaultVersion: boolean }[] }) =>
  answer.versions.map(({ versionId, isDefaultVersion }) =>
    isDefaultVersion ? `${versionId}*` : `${versionId}`,
  );

describe("provisioning templates over the API", () => {
  it("are created, described, changed and deleted", async () => {
    const { ok, refused } = startApi();
    expect(await ok("POST", PATH, TEMPLATE)).toEqual({
      templateArn: "arn:aws:iot:us-east-1:000000000000:provisioningtemplate/t1",
      templateName: "t1",
      defaultVersionId: 1,
    });
    expect((await refused("POST", PATH, TEMPLATE)).name).toBe("ResourceAlreadyExistsException");
    expect(await ok("GET", `${PATH}/t1`)).toEqual({
      ...TEMPLATE,
      templateArn: "arn:aws:iot:us-east-1:000000000000:provisioningtemplate/t1",
      creationDate: expect.any(Number),
      lastModifiedDate: expect.any(Number),
      defaultVersionId: 1,
      enabled: false,
      type: "FLEET_PROVISIONING",
    });
    await ok("PATCH", `${PATH}/t1`, { description: "d", enabled: true, preProvisioningHook: HOOK });
    expect(await ok("GET", `${PATH}/t1`)).toMatchObject({
      description: "d",
      enabled: true,
      preProvisioningHook: HOOK,
    });
    await ok("PATCH", `${PATH}/t1`, { removePreProvisioningHook: true });
    expect(await ok("GET", `${PATH}/t1`)).not.toHaveProperty("preProvisioningHook");
    await ok("DELETE", `${PATH}/t1`);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["GET", "/versions/1"],
      ["POST", "/provisioning-claim"],
    ])
      expect((await refused(method!, `${PATH}/t1${path}`)).name).toBe("ResourceNotFoundException");
  });

  it("have five versions at most, one of which is the default", async () => {
    const { ok, refused } = await worldWith();
    const versions = `${PATH}/t1/versions`;
    expect(await ok("POST", versions, { templateBody: BODY })).toMatchObject({
      versionId: 2,
      isDefaultVersion: false,
    });
    expect(await ok("POST", `${versions}?setAsDefault=true`, { templateBody: BODY })).toMatchObject({
      versionId: 3,
      isDefaultVersion: true,
    });
    for (const versionId of [4, 5])
      expect((await ok("POST", versions, { templateBody: BODY })).versionId).toBe(versionId);
    expect((await refused("POST", versions, { templateBody: BODY })).name).toBe(
      "VersionsLimitExceededException",
    );
    expect(idsOf(await ok("GET", versions))).toEqual(["1", "2", "3*", "4", "5"]);
    expect((await refused("DELETE", `${versions}/3`)).name).toBe("DeleteConflictException");
    await ok("PATCH", `${PATH}/t1`, { defaultVersionId: 5 });
    await ok("DELETE", `${versions}/3`);
    expect((await ok("POST", versions, { templateBody: BODY })).versionId).toBe(6);
    expect(idsOf(await ok("GET", versions))).toEqual(["1", "2", "4", "5*", "6"]);
    expect(await ok("GET", `${versions}/5`)).toMatchObject({ templateBody: BODY, isDefaultVersion: true });
    expect((await refused("PATCH", `${PATH}/t1`, { defaultVersionId: 3 })).status).toBe(404);
  });

  it("are listed in pages", async () => {
    const { ok } = startApi();
    for (const templateName of ["b", "c", "a"]) await ok("POST", PATH, { ...TEMPLATE, templateName });
    const first = await ok("GET", `${PATH}?maxResults=2`);
    const next = await ok("GET", `${PATH}?nextToken=${encodeURIComponent(first.nextToken)}`);
    const names = [...first.templates, ...next.templates].map(({ templateName }) => templateName as string);
    expect(names).toEqual(["a", "b", "c"]);
    expect(next).not.toHaveProperty("nextToken");
  });

  it.each<[what: string, extras: object]>([
    ["a body that is no template", { templateBody: "{}" }],
    ["a hook just in time", { type: "JITP", preProvisioningHook: HOOK }],
    [
      "a certificate that is not named by its id",
      {
        templateBody: JSON.stringify({
          Resources: { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateSigningRequest: "x" } } },
        }),
      },
    ],
    ["a name with a dot", { templateName: "a.b" }],
  ])("refuse %s", async (_, extras) => {
    const { name } = await startApi().refused("POST", PATH, { ...TEMPLATE, ...extras });
    expect(["InvalidRequestException", "ValidationException"]).toContain(name);
  });

  it("cannot be deleted while a CA certificate provisions with them", async () => {
    const { ok, refused, cloud } = await worldWith({ type: "JITP" });
    const caCertificate = cloud.issuer.caCertificatePem;
    await ok("POST", "/cacertificate", {
      caCertificate,
      certificateMode: "SNI_ONLY",
      registrationConfig: { templateName: "t1" },
    });
    expect((await refused("DELETE", `${PATH}/t1`)).name).toBe("DeleteConflictException");
  });

  it("outlive the process", async () => {
    const paper = new PaperJournal();
    const world = startApi({ journal: paper });
    await world.ok("POST", PATH, { ...TEMPLATE, preProvisioningHook: HOOK });
    await world.ok("POST", `${PATH}/t1/versions?setAsDefault=true`, { templateBody: BODY });
    const before = await world.ok("GET", `${PATH}/t1`);
    paper.commit();
    const later = startApi();
    paper.restoreInto(later.cloud.records);
    expect(await later.ok("GET", `${PATH}/t1`)).toEqual(before);
  });
});

describe("provisioning claims", () => {
  it("are certificates for one template, which end after five minutes", async () => {
    const { ok, cloud, time, request } = await worldWith();
    const claim = await ok("POST", `${PATH}/t1/provisioning-claim`);
    expect(claim).toEqual({
      certificateId: expect.stringMatching(/^[0-9a-f]{64}$/),
      certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
      keyPair: { PublicKey: expect.any(String), PrivateKey: expect.any(String) },
      expiration: time.wallMs() / 1000 + 300,
    });
    const { certificateDescription } = await ok("GET", `/certificates/${claim.certificateId}`);
    expect(certificateDescription).toMatchObject({
      status: "ACTIVE",
      validity: { notAfter: claim.expiration },
    });
    expect(cloud.identity.targets.policiesOf(claim.certificateId)).toEqual(["ProvisioningClaim_t1"]);
    time.advance(299_000_000);
    expect((await request("GET", `/certificates/${claim.certificateId}`)).status).toBe(200);
    time.advance(1_000_000);
    expect((await request("GET", `/certificates/${claim.certificateId}`)).status).toBe(404);
  });

  it("are deactivated only, where somebody has attached them to a thing", async () => {
    const { ok, cloud, time } = await worldWith();
    const { certificateId } = await ok("POST", `${PATH}/t1/provisioning-claim`);
    cloud.registry.createThing({ thingName: "t" });
    cloud.registry.principals.attach({ thingName: "t", principal: certificateId as string });
    time.advance(300_000_000);
    const { certificateDescription } = await ok("GET", `/certificates/${certificateId}`);
    expect(certificateDescription.status).toBe("INACTIVE");
  });
});
