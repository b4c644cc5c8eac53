import type { Identity } from "../identity/index.js";

/**
 * Deletes a certificate whose time is up. One that somebody has attached to a thing in the meantime is only deactivated,
 * and one on its way to another account is left alone.
 */
export function discardCertificate(identity: Identity, certificateId: string): void {
  const certificate = identity.certificates.find(certificateId);
  if (certificate === undefined || certificate.status === "PENDING_TRANSFER") return;
  if (certificate.status === "ACTIVE") identity.certificates.update(certificateId, "INACTIVE");
  if (identity.things.hasThings(certificateId)) return;
  identity.deleteCertificate({ certificateId, forceDelete: true });
}
