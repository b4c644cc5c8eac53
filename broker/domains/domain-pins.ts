import { type LinkPeer, REASON } from "fleetrig/protocol";
import type { BrokerHooks } from "../engine/index.js";
import type {
  ApplicationProtocol,
  AuthenticationType,
  DomainConfigurations,
} from "./domain-configurations.js";

/** How a client proved who it is. */
export type Proof = "certificate" | "signature" | "authorizer" | "none";

/** Proofs that a domain takes; anything where it says nothing. AWS: CUSTOM_AUTH_X509 wants a certificate besides. */
const PROOFS: Readonly<Record<AuthenticationType, Proof | undefined>> = {
  DEFAULT: undefined,
  AWS_X509: "certificate",
  AWS_SIGV4: "signature",
  CUSTOM_AUTH: "authorizer",
  CUSTOM_AUTH_X509: "authorizer",
};

/** What domain configurations pin down for clients that connect to their names (REF §1). */
export class DomainPins implements Pick<BrokerHooks, "authorizeConnect"> {
  constructor(private readonly domains: DomainConfigurations) {}

  authorizeConnect: BrokerHooks["authorizeConnect"] = (_connect, { peer }) => {
    const isWebSocket = peer?.upgrade !== undefined;
    const protocol = isWebSocket ? "MQTT_WSS" : "SECURE_MQTT";
    const isAllowed = this.allows(peer, protocol, (proof, shown) => proof === connectProof(shown));
    return isAllowed ? "allow" : { refuse: REASON.notAuthorized, isSilent: true };
  };

  /** May a request over HTTP be answered below this name? */
  allowsRequest(peer: LinkPeer | undefined, shown: Proof): boolean {
    return this.allows(peer, "HTTPS", (proof) => proof === shown);
  }

  /** AWS: without ALPN the configuration of a name says what is spoken. */
  speaksMqtt(serverName: string | undefined): boolean {
    return (
      serverName !== undefined && this.domains.ofServerName(serverName)?.applicationProtocol === "SECURE_MQTT"
    );
  }

  private allows(
    peer: LinkPeer | undefined,
    protocol: ApplicationProtocol,
    isShown: (proof: Proof, peer: LinkPeer) => boolean,
  ): boolean {
    if (peer?.serverName === undefined) return true;
    const row = this.domains.ofServerName(peer.serverName);
    if (row === undefined) return true;
    const { applicationProtocol = "DEFAULT", authenticationType = "DEFAULT" } = row;
    if (applicationProtocol !== "DEFAULT" && applicationProtocol !== protocol) return false;
    if (authenticationType === "CUSTOM_AUTH_X509" && peer.certificate === undefined) return false;
    const proof = PROOFS[authenticationType];
    return proof === undefined || isShown(proof, peer);
  }
}

/** What access control goes by: authorizers are asked about those who show nothing else, or who want it so (REF §12). */
function connectProof({ credentials, certificate, alpn, upgrade }: LinkPeer): Proof {
  if (credentials !== undefined) return "signature";
  const isCustom = certificate === undefined || alpn === "mqtt" || upgrade !== undefined;
  return isCustom ? "authorizer" : "certificate";
}
