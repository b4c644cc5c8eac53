import { type ConnectPacket, type LinkPeer, REASON } from "fleetrig/protocol";
import type { ConnectInfo } from "../engine/index.js";
import { CertificatePrincipal } from "./certificate-principal.js";
import { signedPrincipal } from "./given-principals.js";
import type { Identity } from "./identity.js";
import type { JustInTimeRegistration } from "./just-in-time.js";
import { isOpenTo } from "./open-listeners.js";
import type { Identification, PrincipalSource } from "./principal.js";
import type { OpenListeners } from "./settings.js";

/** A connection that shows no credentials on a listener where nobody asks for any. */
export const OPEN = "open";

/** Who connects, that nobody asks, or that somebody must not come in. */
export type Identified = Identification | typeof OPEN;

export interface PrincipalFinderOptions {
  readonly identity: Identity;
  readonly justInTime: JustInTimeRegistration;
  readonly openListeners: OpenListeners;
}

/** Finds out who connects: sources first, then what the transport has proven, then open listeners. */
export class PrincipalFinder {
  private readonly sources: PrincipalSource[] = [];

  constructor(private readonly options: PrincipalFinderOptions) {}

  add(source: PrincipalSource): void {
    this.sources.push(source);
  }

  /** @param settle Called once when the answer is `later`. */
  find(
    connect: ConnectPacket,
    info: ConnectInfo,
    settle: (identified: Identified) => void,
  ): Identified | "later" {
    return this.ask({ connect, info, from: 0 }, settle);
  }

  private ask(
    question: { readonly connect: ConnectPacket; readonly info: ConnectInfo; readonly from: number },
    settle: (identified: Identified) => void,
  ): Identified | "later" {
    const { connect, info, from } = question;
    for (let index = from; index < this.sources.length; index += 1) {
      const next = { ...question, from: index + 1 };
      const answer = this.sources[index]!.identify(connect, info, (late) => {
        const final = late === "none" ? this.ask(next, settle) : late;
        if (final !== "later") settle(final);
      });
      if (answer !== "none") return answer;
    }
    return this.byTransport(info);
  }

  private byTransport(info: ConnectInfo): Identified {
    const { peer } = info;
    const shown = peer?.certificate;
    if (shown === undefined && peer?.credentials !== undefined)
      return { principal: signedPrincipal(peer.credentials) };
    if (shown === undefined) {
      if (isOpenTo(info, this.options.openListeners)) return OPEN;
      return { refuse: REASON.notAuthorized, explanation: "The client shows no credentials." };
    }
    const { identity, justInTime } = this.options;
    const principalIdentifier = shown.fingerprint256;
    const refuse = (explanation: string): Identification => ({
      refuse: REASON.notAuthorized,
      explanation,
      principalIdentifier,
    });
    const certificate = identity.certificates.find(principalIdentifier);
    if (certificate === undefined) {
      const registered = justInTime.arrived(shown, peer?.serverName);
      return refuse(registered ?? `Certificate ${principalIdentifier} is not registered.`);
    }
    if (certificate.certificateMode === "SNI_ONLY" && !namesServer(peer!))
      return refuse(`Certificate ${principalIdentifier} is in SNI_ONLY mode, and the client sent no SNI.`);
    return { principal: new CertificatePrincipal(identity, principalIdentifier) };
  }
}

/** Resumed sessions of TLS 1.2 do not tell the name; they had to give it at first. */
const namesServer = ({ serverName, isResumed }: LinkPeer): boolean =>
  serverName !== undefined || isResumed === true;
