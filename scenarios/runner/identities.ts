import { type Cloud, type IssuedCertificate, parseCertificate } from "fleetrig/broker";
import { FleetrigError, invariant } from "fleetrig/kernel";
import type { LinkPeer } from "fleetrig/protocol";
import { type DeviceCredential, Wallet } from "fleetrig/sim";
import type { FleetGroup, IdentitySpec, Scenario } from "../scenario.js";
import type { PlannedFleet } from "./fleet-plan.js";

interface Holder {
  readonly wallet: Wallet;
  readonly identity: IdentitySpec;
  readonly group: string;
}

/** The certificates of a run's devices: who has which, and what becomes of them. */
export class Identities {
  private readonly holders = new Map<string, Holder>();
  private readonly peers = new WeakMap<DeviceCredential, LinkPeer>();

  constructor(private readonly cloud: Cloud) {}

  /** Undefined for things of groups that show no certificate. */
  walletOf(thing: string): Wallet | undefined {
    return this.holders.get(thing)?.wallet;
  }

  /** The device's own certificate; undefined before it has one. */
  certificateIdOf(thing: string): string | undefined {
    return this.walletOf(thing)?.own?.certificateId;
  }

  /** Gives every device what its group's `identity` says it has from the start. */
  async issue(scenario: Scenario, { things }: Pick<PlannedFleet, "things">): Promise<void> {
    const groups = new Map(scenario.fleet.map((group) => [group.group, group]));
    const claims = new Map<string, DeviceCredential>();
    for (const { name, group } of things) {
      const identity = groups.get(group)?.identity;
      if (identity === undefined || (identity.keyType === undefined && identity.claim === undefined))
        continue;
      const wallet = new Wallet(await this.claimOf(groups.get(group)!, claims));
      this.holders.set(name, { wallet, identity, group });
      if (identity.keyType !== undefined) wallet.own = await this.certify(name, identity);
    }
  }

  /**
   * A new certificate with the policies of the one before, attached to the same thing, in the wallet at once. The one
   * before stays active.
   * @returns the id of the one before.
   * @throws FleetrigError RUN_NO_CERTIFICATE
   */
  rotate(thing: string): string {
    const { wallet } = this.holders.get(thing) ?? {};
    const before = wallet?.own;
    if (wallet === undefined || before === undefined) throw noCertificate(thing);
    const { identity, registry } = this.cloud;
    const credential = this.register(
      this.now(this.cloud.issuer.createKeysAndCertificate({ keyType: "ec-p256" })),
    );
    for (const policyName of identity.targets.policiesOf(before.certificateId))
      identity.attachPolicy(policyName, credential.certificateId);
    if (registry.hasThing(thing)) this.attach(thing, credential);
    wallet.own = credential;
    return before.certificateId;
  }

  /** The other side of a link as the broker would see it if there were TLS. */
  peerOf(thing: string): LinkPeer | undefined {
    const shown = this.walletOf(thing)?.shown;
    if (shown === undefined) return undefined;
    let peer = this.peers.get(shown);
    if (peer === undefined) this.peers.set(shown, (peer = virtualPeer(shown)));
    return peer;
  }

  private async claimOf(
    { group, identity }: FleetGroup,
    claims: Map<string, DeviceCredential>,
  ): Promise<DeviceCredential | undefined> {
    if (identity?.claim === undefined) return undefined;
    const known = claims.get(group);
    if (known !== undefined) return known;
    const claim = this.register(await this.cloud.issuer.createKeysAndCertificate({ keyType: "ec-p256" }));
    for (const policyName of identity.claim.policies)
      this.cloud.identity.attachPolicy(policyName, claim.certificateId);
    claims.set(group, claim);
    return claim;
  }

  private async certify(thing: string, { keyType, policies }: IdentitySpec): Promise<DeviceCredential> {
    const credential = this.register(await this.cloud.issuer.createKeysAndCertificate({ keyType: keyType! }));
    for (const policyName of policies) this.cloud.identity.attachPolicy(policyName, credential.certificateId);
    this.attach(thing, credential);
    return credential;
  }

  private attach(thingName: string, { certificateId }: DeviceCredential): void {
    const { registry, account } = this.cloud;
    registry.principals.attach({ thingName, principal: account.arn("cert", certificateId) });
  }

  private register(issued: IssuedCertificate): DeviceCredential {
    const { certificateId, certificatePem, keyPair } = issued;
    this.cloud.identity.certificates.addIssued(issued, "ACTIVE");
    return { certificateId, certificatePem, privateKeyPem: keyPair?.privateKeyPem ?? "" };
  }

  /** EC keys and those of a virtual issuer are made at once. */
  private now(issued: IssuedCertificate | Promise<IssuedCertificate>): IssuedCertificate {
    invariant(!(issued instanceof Promise), "an EC key is made at once");
    return issued;
  }
}

export const noCertificate = (thing: string): FleetrigError =>
  new FleetrigError("RUN_NO_CERTIFICATE", `${thing} has no certificate of its own.`, {
    hint: "Give its group an identity, or wait until it has provisioned itself.",
    context: { thing },
  });

const IOT_ENDPOINT = "localhost";

function virtualPeer({ certificateId, certificatePem }: DeviceCredential): LinkPeer {
  const { der, serialNumber, subject, issuer, validFromMs, validToMs } = parseCertificate(certificatePem);
  return {
    transport: "tls",
    serverName: IOT_ENDPOINT,
    isVerified: true,
    certificate: {
      raw: der,
      fingerprint256: certificateId,
      serialNumber,
      subject: subject.text,
      issuer: issuer.text,
      validFromMs,
      validToMs,
    },
  };
}
