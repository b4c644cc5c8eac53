import { createHash, timingSafeEqual } from "node:crypto";

/** A secret that programs and pages show in the Authorization header. */
export class BearerToken {
  private readonly digest: Buffer;

  constructor(token: string) {
    this.digest = sha256(token);
  }

  /** @param authorization The header; undefined where there is none. */
  isShownBy(authorization: string | undefined): boolean {
    const [, token] = /^Bearer ([\w~+/.=-]{1,512})$/i.exec(authorization ?? "") ?? [];
    return token !== undefined && timingSafeEqual(sha256(token), this.digest);
  }
}

/** Digests have one length, so that comparing them tells nothing about the token's. */
const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
