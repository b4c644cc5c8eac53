import { createCertificateAuthority, createVirtualIssuer } from "fleetrig/broker";
import { createRandomSource, type JsonValue, LANE, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { type AccessWorld, PREFIX, startAccess } from "./device.js";

const issuer = () => createVirtualIssuer(createRandomSource(5).stream("issuer"));

/** A world that writes down, and the same again from what it wrote. */
function stored(): { readonly before: AccessWorld; restart(): AccessWorld } {
  const records = new Map<string, readonly [table: string, key: string, read: () => JsonValue | undefined]>();
  const journal = {
    recordChanged: (table: string, key: string, read: () => JsonValue | undefined) =>
      void records.set(`${table} ${key}`, [table, key, read]),
  };
  return {
    before: startAccess({}, { journal, issuer: issuer() }),
    restart: () => {
      const after = startAccess({}, { issuer: issuer() });
      const inOrder = Array.from(records.values()).toSorted(([a, b], [c, d]) => (a + b < c + d ? -1 : 1));
      for (const [table, key, read] of inOrder) {
        const value = read();
        if (value === undefined) continue;
        const copy = JSON.parse(JSON.stringify(value)) as JsonValue;
        expect(after.cloud.records.restore(table, key, copy)).toBeUndefined();
      }
      after.cloud.records.finish();
      return after;
    },
  };
}

describe("identity across a restart", () => {
  it("keeps policies with their versions, and what they are attached to", async () => {
    const { before, restart } = stored();
    const certificate = await before.certificate();
    await before.policy("p", ["Allow", "Connect", "*"]);
    await before.policy("q", ["Allow", "Publish", "*"]);
    await before.change("p", ["Allow", ["Connect", "Publish"], "*"]);
    await before.attach("p", certificate.certificateArn);
    await before.attach("q", certificate.certificateArn);
    await before.ok("POST", "/target-policies/q", { target: certificate.certificateArn });
    const after = restart();
    for (const path of ["/policies", "/policies/p", "/policies/p/version", "/policies/q"])
      expect(await after.ok("GET", path)).toEqual(await before.ok("GET", path));
    expect(await after.ok("POST", "/policy-targets/p")).toEqual({ targets: [certificate.certificateArn] });
    expect(await after.ok("POST", "/policy-targets/q")).toEqual({ targets: [] });
    const device = after.device("d1", certificate);
    expect([device.connack, device.publish("t")]).toEqual([0, 0]);
    const added = await after.ok("POST", "/policies/p/version", await before.ok("GET", "/policies/q"));
    expect(added.policyVersionId).toBe("3");
  });

  it("writes down no private key, and tells none in events", async () => {
    const written: JsonValue[] = [];
    const world = startAccess(
      {},
      {
        issuer: createCertificateAuthority({
          clock: new VirtualTime().lane(LANE.services),
          random: createRandomSource(5).stream("ca"),
          deviceKeyType: "ec-p256",
        }),
        journal: { recordChanged: (_, __, read) => void written.push(read() ?? null) },
      },
    );
    const certificate = await world.certificate(["Allow", "Connect", "client/d1"]);
    world.device("d2", certificate);
    const { privateKeyPem } = (await world.cloud.issuer.createKeysAndCertificate()).keyPair!;
    expect(privateKeyPem).toContain("PRIVATE KEY");
    const everything = JSON.stringify([written, world.events]);
    expect(everything).toContain(certificate.certificateId);
    expect(everything).not.toContain("PRIVATE KEY");
  });

  it("keeps group policies, CA certificates and logging options", async () => {
    const { before, restart } = stored();
    before.cloud.registry.createThingGroup({ thingGroupName: "g" });
    await before.policy("p", ["Allow", "Publish", "*"]);
    await before.attach("p", `${PREFIX}:thinggroup/g`);
    const { certificateId } = await before.ok("POST", "/cacertificate", {
      caCertificate: before.cloud.issuer.caCertificatePem,
      certificateMode: "SNI_ONLY",
      registrationConfig: { templateName: "t" },
    });
    await before.ok("POST", "/v2LoggingOptions", { defaultLogLevel: "INFO" });
    const after = restart();
    expect(await after.ok("POST", "/policy-targets/p")).toEqual({ targets: [`${PREFIX}:thinggroup/g`] });
    for (const path of [
      `/cacertificate/${certificateId}`,
      "/cacertificates?templateName=t",
      "/v2LoggingOptions",
    ])
      expect(await after.ok("GET", path)).toEqual(await before.ok("GET", path));
    after.cloud.registry.deleteThingGroup({ thingGroupName: "g" });
    expect(await after.ok("POST", "/policy-targets/p")).toEqual({ targets: [] });
  });

  it.each([
    ["certificates", { certificateId: "k" }],
    ["ca-certificates", []],
    ["policies", { policyName: "k", versions: [{}] }],
    ["policy-targets", [1]],
    ["registration-code", 5],
    ["logging-levels", null],
  ])("says that it cannot understand a record of %s", (table, value) => {
    expect(startAccess().cloud.records.restore(table, "k", value)).toBe("the record cannot be understood");
  });
});
