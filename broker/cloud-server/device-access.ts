import type { Cloud } from "../cloud.js";
import type { DeviceAccess } from "../credentials/index.js";
import { CertificatePrincipal, type Principal } from "../identity/index.js";

/** What the credentials provider asks about devices, answered by policies and registry. */
export const deviceAccessOf = (cloud: Cloud): DeviceAccess => ({
  isAttached: (certificateId, thingName) =>
    cloud.registry.principals.thingsOf(certificateId).some(({ thing }) => thing.name === thingName),
  mayAssume: ({ certificateId }, { roleAlias, thingName, sourceIp }) => {
    const { access, account, identity } = cloud;
    if (access === undefined) return true;
    const principal = assuming(new CertificatePrincipal(identity, certificateId), thingName);
    const resource = account.arn("rolealias", roleAlias);
    return access.authorizeRequest(principal, {
      action: "iot:AssumeRoleWithCertificate",
      resource,
      sourceIp,
    });
  },
});

/** AWS: policies about role aliases can use these variables. */
function assuming(device: CertificatePrincipal, thingName: string | undefined): Principal {
  const { principalIdentifier, target } = device;
  const others = new Map([["credentials-iot:AwsCertificateId", principalIdentifier]]);
  if (thingName !== undefined) others.set("credentials-iot:ThingName", thingName);
  return {
    principalIdentifier,
    target,
    policies: (thing) => device.policies(thing),
    refusal: () => device.refusal(),
    facts: {
      get certificate() {
        return device.facts.certificate;
      },
      others,
    },
  };
}
