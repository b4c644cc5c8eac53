import { createCertificateAuthority, createVirtualIssuer } from "fleetrig/broker";
import { createRandomSource, type JsonValue, LANE, US_PER_S, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";

const randomOf = (name: string) => createRandomSource(7).stream(name);

/** An authority of the user's own. */
const ownAuthority = (name = "ca") =>
  createCertificateAuthority({
    clock: new VirtualTime().lane(LANE.services),
    random: randomOf(name),
    subject: { CommonName: "Own CA" },
  });

interface Created {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly certificatePem: string;
}

const idsOf = (certificates: readonly { readonly certificateId: string }[]): readonly string[] =>
  certificates.map(({ certificateId }) => certificateId);

const create = async ({ ok }: ApiWorld, isActive = false): Promise<Created> =>
  ok("POST", `/keys-and-certificate?setAsActive=${isActive}`);

const statusOf = async ({ ok }: ApiWorld, id: string): Promise<string> =>
  (await ok("GET", `/certificates/${id}`)).certificateDescription.status;

const POLICY = {
  policyDocument: JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
  }),
};

describe("certificates of the cloud's own CA", () => {
  it("come with their keys once, and are described without them", async () => {
    const world = startApi();
    const created = await create(world, true);
    expect(created).toEqual({
      certificateArn: `arn:aws:iot:us-east-1:000000000000:cert/${created.certificateId}`,
      certificateId: expect.stringMatching(/^[0-9a-f]{64}$/),
      certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
      keyPair: {
        PublicKey: expect.stringContaining("BEGIN PUBLIC KEY"),
        PrivateKey: expect.stringContaining("BEGIN PRIVATE KEY"),
      },
    });
    const { certificateDescription } = await world.ok("GET", `/certificates/${created.certificateId}`);
    expect(certificateDescription).toMatchObject({
      certificateId: created.certificateId,
      certificatePem: created.certificatePem,
      status: "ACTIVE",
      ownedBy: "000000000000",
      customerVersion: 1,
      certificateMode: "DEFAULT",
      validity: { notAfter: 2_524_607_999 },
    });
    expect(JSON.stringify(certificateDescription)).not.toContain("PRIVATE");
  });

  it("are inactive unless asked for, also from a request", async () => {
    const world = startApi({ issuer: ownAuthority() });
    const { certificateId } = await create(world);
    expect(await statusOf(world, certificateId)).toBe("INACTIVE");
    const refused = await world.refused("POST", "/certificates", { certificateSigningRequest: "x" });
    expect(refused).toMatchObject({ name: "InvalidRequestException", status: 400 });
  });

  it("are the same for the same seed in virtual time", async () => {
    const ids = await Promise.all(
      [startApi(), startApi()].map(async (world) => (await create(world)).certificateId),
    );
    expect(ids[0]).toBe(ids[1]);
  });
});

describe("certificate states", () => {
  it.each(["INACTIVE", "REVOKED", "ACTIVE"])("can be set to %s, again and again", async (newStatus) => {
    const world = startApi();
    const { certificateId } = await create(world);
    for (const _ of [1, 2]) await world.ok("PUT", `/certificates/${certificateId}?newStatus=${newStatus}`);
    expect(await statusOf(world, certificateId)).toBe(newStatus);
  });

  it.each(["PENDING_ACTIVATION", "PENDING_TRANSFER"])("cannot be set to %s", async (newStatus) => {
    const world = startApi();
    const { certificateId } = await create(world);
    const refused = await world.refused("PUT", `/certificates/${certificateId}?newStatus=${newStatus}`);
    expect(refused).toMatchObject({ name: "CertificateStateException", status: 406 });
  });

  it("keep the id in any spelling AWS takes, and know none that is missing", async () => {
    const world = startApi();
    const { certificateId } = await create(world);
    expect(await statusOf(world, certificateId.toUpperCase())).toBe("INACTIVE");
    const refused = await world.refused("GET", `/certificates/${"0".repeat(64)}`);
    expect(refused).toMatchObject({ name: "ResourceNotFoundException", status: 404 });
  });
});

describe("deleting a certificate", () => {
  it("is refused while it is active or has policies, and can be forced for policies", async () => {
    const world = startApi();
    const { certificateId, certificateArn } = await create(world, true);
    const path = `/certificates/${certificateId}`;
    await world.ok("POST", "/policies/p", POLICY);
    await world.ok("PUT", "/target-policies/p", { target: certificateArn });
    expect((await world.refused("DELETE", path)).name).toBe("DeleteConflictException");
    expect(await world.refused("DELETE", `${path}?forceDelete=true`)).toMatchObject({
      name: "CertificateStateException",
      status: 406,
    });
    await world.ok("PUT", `${path}?newStatus=INACTIVE`);
    expect(await world.refused("DELETE", path)).toMatchObject({
      name: "DeleteConflictException",
      status: 409,
    });
    await world.ok("DELETE", `${path}?forceDelete=true`);
    expect((await world.refused("GET", path)).status).toBe(404);
    await world.ok("DELETE", "/policies/p");
  });
});

describe("lists of certificates", () => {
  it("are newest first or oldest first, in pages that deletions do not upset", async () => {
    const world = startApi();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await create(world)).certificateId);
    const first = await world.ok("GET", "/certificates?isAscendingOrder=true&pageSize=2");
    expect(idsOf(first.certificates)).toEqual(ids.slice(0, 2));
    expect(first.nextMarker).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    await world.ok("DELETE", `/certificates/${ids[1]!}`);
    const second = await world.ok(
      "GET",
      `/certificates?isAscendingOrder=true&pageSize=3&marker=${encodeURIComponent(first.nextMarker)}`,
    );
    expect(idsOf(second.certificates)).toEqual(ids.slice(2));
    expect(second.nextMarker).toBeUndefined();
    const latest = await world.ok("GET", "/certificates");
    expect(idsOf(latest.certificates)).toEqual([ids[0], ids[2], ids[3], ids[4]].reverse());
    expect((await world.refused("GET", "/certificates?marker=bm9uZQ==")).name).toBe(
      "InvalidRequestException",
    );
  });
});

describe("certificates of other authorities", () => {
  const register = (world: ApiWorld, body: unknown) => world.ok("POST", "/certificate/register", body);
  const registerCa = (world: ApiWorld, certificatePem: string, query = "setAsActive=true") =>
    world.ok("POST", `/cacertificate?${query}`, {
      caCertificate: certificatePem,
      certificateMode: "SNI_ONLY",
    });

  it("are registered with the mode of their active CA, and listed by it", async () => {
    const world = startApi();
    const authority = ownAuthority();
    const { certificateId: caId } = await registerCa(world, authority.caCertificatePem);
    const { certificatePem } = authority.issueCertificate({ subject: { CommonName: "d1" } });
    const { certificateId } = await register(world, { certificatePem, status: "ACTIVE" });
    const described = await world.ok("GET", `/certificates/${certificateId}`);
    expect(described.certificateDescription).toMatchObject({
      status: "ACTIVE",
      certificateMode: "SNI_ONLY",
      caCertificateId: caId,
    });
    const listed = await world.ok("GET", `/certificates-by-ca/${caId}`);
    expect(listed.certificates).toMatchObject([{ certificateId }]);
    const again = await world.request("POST", "/certificate/register", { body: { certificatePem } });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ resourceId: certificateId });
  });

  it.each([
    { status: "PENDING_ACTIVATION", name: "CertificateStateException", code: 406 },
    { status: "PENDING_TRANSFER", name: "CertificateStateException", code: 406 },
  ])("cannot be registered as $status", async ({ status, name, code }) => {
    const world = startApi();
    const authority = ownAuthority();
    await registerCa(world, authority.caCertificatePem);
    const { certificatePem } = authority.issueCertificate({ subject: { CommonName: "d1" } });
    const refused = await world.refused("POST", "/certificate/register", { certificatePem, status });
    expect(refused).toMatchObject({ name, status: code });
  });

  it("need a CA that is registered and active, unless they go without", async () => {
    const world = startApi();
    const authority = ownAuthority();
    const { certificatePem } = authority.issueCertificate({ subject: { CommonName: "d1" } });
    const attempt = () => world.refused("POST", "/certificate/register", { certificatePem });
    expect((await attempt()).name).toBe("CertificateValidationException");
    await registerCa(world, authority.caCertificatePem, "setAsActive=false");
    expect((await attempt()).name).toBe("CertificateStateException");
    const { certificateId } = await world.ok("POST", "/certificate/register-no-ca", {
      certificatePem,
      status: "ACTIVE",
    });
    const described = await world.ok("GET", `/certificates/${certificateId}`);
    expect(described.certificateDescription).toMatchObject({ status: "ACTIVE", certificateMode: "SNI_ONLY" });
    expect(described.certificateDescription.caCertificateId).toBeUndefined();
  });

  it("need the CA to be named where another has its name and key", async () => {
    const world = startApi();
    const authority = ownAuthority();
    const twin = createCertificateAuthority({
      clock: new VirtualTime().lane(LANE.services),
      random: randomOf("twin"),
      saved: authority.save(),
    });
    await registerCa(world, authority.caCertificatePem);
    expect(twin.caCertificatePem).toBe(authority.caCertificatePem);
    const stranger = ownAuthority("stranger");
    await registerCa(world, stranger.caCertificatePem);
    const { certificatePem } = authority.issueCertificate({ subject: { CommonName: "d1" } });
    const refused = await world.refused("POST", "/certificate/register", {
      certificatePem,
      caCertificatePem: stranger.caCertificatePem,
    });
    expect(refused.name).toBe("CertificateValidationException");
    await register(world, { certificatePem, caCertificatePem: authority.caCertificatePem });
  });

  it("are no certificates when they are garbage", async () => {
    const world = startApi();
    for (const path of ["/certificate/register", "/certificate/register-no-ca"]) {
      const refused = await world.refused("POST", path, { certificatePem: "-----BEGIN CERTIFICATE-----" });
      expect(refused.name).toBe("CertificateValidationException");
    }
  });
});

describe("transfers", () => {
  const account = "111111111111";

  it("begin for certificates without policies that are not active, and end once", async () => {
    const world = startApi();
    const { certificateId, certificateArn } = await create(world, true);
    const transfer = `/transfer-certificate/${certificateId}?targetAwsAccount=${account}`;
    expect((await world.refused("PATCH", transfer)).name).toBe("CertificateStateException");
    await world.ok("PUT", `/certificates/${certificateId}?newStatus=INACTIVE`);
    expect(await world.ok("PATCH", transfer, { transferMessage: "yours" })).toEqual({
      transferredCertificateArn: certificateArn,
    });
    expect((await world.refused("PATCH", transfer)).name).toBe("TransferConflictException");
    const outgoing = await world.ok("GET", "/certificates-out-going");
    expect(outgoing.outgoingCertificates).toMatchObject([
      { certificateId, transferredTo: account, transferMessage: "yours" },
    ]);
    expect((await world.refused("DELETE", `/certificates/${certificateId}`)).status).toBe(406);
    await world.ok("PATCH", `/cancel-certificate-transfer/${certificateId}`);
    expect(await statusOf(world, certificateId)).toBe("INACTIVE");
    const again = await world.refused("PATCH", `/accept-certificate-transfer/${certificateId}`);
    expect(again).toMatchObject({ name: "TransferAlreadyCompletedException", status: 410 });
  });

  it.each([
    { verb: "accept", query: "?setAsActive=true", status: "ACTIVE" },
    { verb: "reject", query: "", status: "INACTIVE" },
  ])("can be $verb-ed", async ({ verb, query, status }) => {
    const world = startApi();
    const { certificateId } = await create(world);
    await world.ok("PATCH", `/transfer-certificate/${certificateId}?targetAwsAccount=${account}`);
    await world.ok("PATCH", `/${verb}-certificate-transfer/${certificateId}${query}`);
    expect(await statusOf(world, certificateId)).toBe(status);
  });
});

describe("certificates across a restart", () => {
  it("come back as they were, in their order", async () => {
    const written = new Map<string, () => JsonValue | undefined>();
    const journal = {
      recordChanged: (table: string, key: string, read: () => JsonValue | undefined) => {
        written.set(`${table}/${key}`, read);
      },
    };
    const issuer = createVirtualIssuer(randomOf("issuer"));
    const before = startApi({ journal, issuer });
    const [first, second] = [await create(before, true), await create(before)];
    before.time.advance(US_PER_S);
    await before.ok("PUT", `/certificates/${second.certificateId}?newStatus=REVOKED`);
    const code = await before.ok("GET", "/registrationcode");
    const after = startApi();
    for (const key of Array.from(written.keys()).toSorted((a, b) => (a < b ? -1 : 1))) {
      const value = JSON.parse(JSON.stringify(written.get(key)!())) as JsonValue;
      const [table = "", ...rest] = key.split("/");
      expect(after.cloud.records.restore(table, rest.join("/"), value)).toBeUndefined();
    }
    after.cloud.records.finish();
    for (const { certificateId } of [first, second]) {
      const path = `/certificates/${certificateId}`;
      expect(await after.ok("GET", path)).toEqual(await before.ok("GET", path));
    }
    expect(await after.ok("GET", "/certificates")).toEqual(await before.ok("GET", "/certificates"));
    expect(await after.ok("GET", "/registrationcode")).toEqual(code);
    const third = await create(after);
    const listed = await after.ok("GET", "/certificates?pageSize=1");
    expect(listed.certificates[0].certificateId).toBe(third.certificateId);
  });
});
