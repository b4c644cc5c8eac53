import { createCertificateAuthority } from "fleetrig/broker";
import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import type { PublishPacket } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { type AccessWorld, Device, peerWith, startAccess } from "./device.js";

const NOT_AUTHORIZED = 0x87;

const ownAuthority = (subject: string, seed = 1) =>
  createCertificateAuthority({
    clock: new VirtualTime().lane(LANE.services),
    random: createRandomSource(seed).stream(subject),
    subject: { CommonName: subject },
  });

type Authority = ReturnType<typeof ownAuthority>;

const proof = (authority: Authority, registrationCode: string): string =>
  authority.issueCertificate({ subject: { CommonName: registrationCode } }).certificatePem;

async function register({ ok }: AccessWorld, authority: Authority, query = ""): Promise<string> {
  const { registrationCode } = (await ok("GET", "/registrationcode")) as { registrationCode: string };
  const { certificateId } = (await ok("POST", `/cacertificate?setAsActive=true${query}`, {
    caCertificate: authority.caCertificatePem,
    verificationCertificate: proof(authority, registrationCode),
  })) as { certificateId: string };
  return certificateId;
}

describe("the registration code", () => {
  it("stays the same until it is deleted", async () => {
    const { ok, refused } = startAccess();
    const first = await ok("GET", "/registrationcode");
    expect(first).toEqual({ registrationCode: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await ok("GET", "/registrationcode")).toEqual(first);
    await ok("DELETE", "/registrationcode");
    expect((await refused("DELETE", "/registrationcode")).name).toBe("ResourceNotFoundException");
    expect(await ok("GET", "/registrationcode")).not.toEqual(first);
  });
});

describe("a CA certificate", () => {
  it("is registered by whoever has its key, described, changed, listed and deleted", async () => {
    const world = startAccess();
    const id = await register(world, ownAuthority("CA"));
    const path = `/cacertificate/${id}`;
    expect(await world.ok("GET", path)).toMatchObject({
      certificateDescription: {
        certificateArn: `arn:aws:iot:us-east-1:000000000000:cacert/${id}`,
        status: "ACTIVE",
        autoRegistrationStatus: "DISABLE",
        certificateMode: "DEFAULT",
        customerVersion: 1,
      },
    });
    expect((await world.refused("DELETE", path)).name).toBe("CertificateStateException");
    const registrationConfig = { templateName: "t", roleArn: "arn:aws:iam::000000000000:role/r" };
    await world.ok("PUT", `${path}?newStatus=INACTIVE&newAutoRegistrationStatus=ENABLE`, {
      registrationConfig,
    });
    const changed = await world.ok("GET", path);
    expect(changed).toMatchObject({
      certificateDescription: { status: "INACTIVE", autoRegistrationStatus: "ENABLE" },
      registrationConfig,
    });
    const listed = async (query: string) => (await world.ok("GET", `/cacertificates${query}`)).certificates;
    expect(await listed("?templateName=t")).toMatchObject([{ certificateId: id, status: "INACTIVE" }]);
    expect(await listed("?templateName=other")).toEqual([]);
    await world.ok("PUT", path, { removeAutoRegistration: true });
    expect((await world.ok("GET", path)).registrationConfig).toBeUndefined();
    await world.ok("DELETE", path);
    expect((await world.refused("GET", path)).name).toBe("ResourceNotFoundException");
  });

  it("has tags", async () => {
    const { ok } = startAccess();
    const made = await ok("POST", "/cacertificate", {
      caCertificate: ownAuthority("CA").caCertificatePem,
      certificateMode: "SNI_ONLY",
      tags: [{ Key: "site", Value: "a" }],
    });
    const { tags } = await ok("GET", `/tags?resourceArn=${encodeURIComponent(made.certificateArn)}`);
    expect(tags).toEqual([{ Key: "site", Value: "a" }]);
  });

  it("is not registered twice, nor an eleventh time under one name", async () => {
    const world = startAccess();
    const first = ownAuthority("CA");
    await register(world, first);
    await expect(register(world, first)).rejects.toThrow(/409/);
    for (let n = 2; n <= 10; n += 1) await register(world, ownAuthority("CA", n));
    await expect(register(world, ownAuthority("CA", 11))).rejects.toThrow(/410/);
    await register(world, ownAuthority("Another CA"));
  });

  it.each([
    ["no proof", () => ({}), "InvalidRequestException"],
    [
      "proof in SNI_ONLY mode",
      (authority: Authority) => ({
        certificateMode: "SNI_ONLY",
        verificationCertificate: proof(authority, "x"),
      }),
      "InvalidRequestException",
    ],
    [
      "another registration code",
      (authority: Authority) => ({ verificationCertificate: proof(authority, "x") }),
      "RegistrationCodeValidationException",
    ],
    [
      "a proof of another CA",
      () => ({ verificationCertificate: proof(ownAuthority("Other"), "x") }),
      "CertificateValidationException",
    ],
    [
      "two templates",
      () => ({ certificateMode: "SNI_ONLY", registrationConfig: { templateBody: "{}", templateName: "t" } }),
      "InvalidRequestException",
    ],
  ] as const)("is refused with %s", async (_, extras, name) => {
    const { refused } = startAccess();
    const authority = ownAuthority("CA");
    const body = { caCertificate: authority.caCertificatePem, ...extras(authority) };
    expect((await refused("POST", "/cacertificate", body)).name).toBe(name);
  });

  it("is refused when it is not one", async () => {
    const { refused } = startAccess();
    const leaf = ownAuthority("CA").issueCertificate({ subject: { CommonName: "d1" } }).certificatePem;
    const body = { caCertificate: leaf, certificateMode: "SNI_ONLY" };
    expect((await refused("POST", "/cacertificate", body)).name).toBe("CertificateValidationException");
  });
});

describe("just-in-time registration", () => {
  const registeredOf = (watcher: Device) =>
    watcher.packets
      .filter((packet): packet is PublishPacket => packet.type === "publish")
      .map(({ topic, payload }) => ({ topic, body: JSON.parse(Buffer.from(payload).toString()) as unknown }));

  it("registers an unknown certificate at its first CONNECT, tells, and lets it in once it is activated", async () => {
    const world = startAccess();
    const authority = ownAuthority("CA");
    const caCertificateId = await register(world, authority, "&allowAutoRegistration=true");
    const watcher = new Device(world.cloud, "watcher");
    watcher.subscribe("$aws/events/certificates/registered/+");
    const { certificatePem, certificateId } = authority.issueCertificate({ subject: { CommonName: "d1" } });
    const connect = () =>
      new Device(world.cloud, "d1", { peer: peerWith(certificatePem), protocolVersion: 4 });
    expect([connect().connack, connect().connack]).toEqual([undefined, undefined]);
    expect(registeredOf(watcher)).toEqual([
      {
        topic: `$aws/events/certificates/registered/${caCertificateId}`,
        body: {
          certificateId,
          caCertificateId,
          timestamp: expect.any(Number),
          certificateStatus: "PENDING_ACTIVATION",
          awsAccountId: "000000000000",
          certificateRegistrationTimestamp: null,
        },
      },
    ]);
    const { certificateDescription } = await world.ok("GET", `/certificates/${certificateId}`);
    expect(certificateDescription).toMatchObject({ status: "PENDING_ACTIVATION", caCertificateId });
    await world.policy("p", ["Allow", "Connect", "*"]);
    await world.attach("p", certificateDescription.certificateArn);
    await world.ok("PUT", `/certificates/${certificateId}?newStatus=ACTIVE`);
    expect(connect().connack).toBe(0);
  });

  it.each(["newStatus=INACTIVE", "newAutoRegistrationStatus=DISABLE"])(
    "does not happen for a CA with %s",
    async (query) => {
      const world = startAccess();
      const authority = ownAuthority("CA");
      const caCertificateId = await register(world, authority, "&allowAutoRegistration=true");
      await world.ok("PUT", `/cacertificate/${caCertificateId}?${query}`);
      const { certificatePem, certificateId } = authority.issueCertificate({ subject: { CommonName: "d1" } });
      expect(new Device(world.cloud, "d1", { peer: peerWith(certificatePem) }).connack).toBe(NOT_AUTHORIZED);
      expect((await world.refused("GET", `/certificates/${certificateId}`)).status).toBe(404);
    },
  );

  it("does not happen for a certificate that only names the CA", async () => {
    const world = startAccess();
    await register(world, ownAuthority("CA"), "&allowAutoRegistration=true");
    const forger = ownAuthority("CA", 2);
    const { certificatePem, certificateId } = forger.issueCertificate({ subject: { CommonName: "d1" } });
    expect(new Device(world.cloud, "d1", { peer: peerWith(certificatePem) }).connack).toBe(NOT_AUTHORIZED);
    expect((await world.refused("GET", `/certificates/${certificateId}`)).status).toBe(404);
  });
});
