import { EXIT, FleetrigError } from "fleetrig/kernel";

/** Ends the reading of something that is no certificate, request or key: throws, with the reason for people. */
export type Refuse = (reason: string, cause?: unknown) => never;

/** Nothing longer is looked at; AWS's own limit of a certificate's PEM. */
export const MAX_PEM_BYTES = 65_536;

/** Causes are left out: what OpenSSL says about a key may quote it, and names are the sender's. */
const refusal =
  (code: string, what: string, awsError: string): Refuse =>
  (reason) => {
    throw new FleetrigError(code, `${what} cannot be used: ${reason}.`, {
      hint: "`openssl x509 -text` (or `openssl req -text`) shows what it holds; write it in PEM, without changes by hand.",
      context: { awsError, httpStatus: 400 },
      exitCode: EXIT.usage,
    });
  };

export const refuseCertificate: Refuse = refusal(
  "PKI_CERTIFICATE_INVALID",
  "The certificate",
  "CertificateValidationException",
);

export const refuseRequest: Refuse = refusal(
  "PKI_CSR_INVALID",
  "The certificate signing request",
  "InvalidRequestException",
);

/** For options of ours: names, addresses, periods. */
export const refuseName = (reason: string): never => {
  throw new FleetrigError("PKI_NAME_INVALID", `A certificate cannot be made: ${reason}.`, {
    hint: "Attributes are named as in policies (CommonName, Organization, ...), names are DNS names, addresses IPv4 or IPv6.",
    context: { awsError: "InvalidRequestException", httpStatus: 400 },
    exitCode: EXIT.usage,
  });
};
