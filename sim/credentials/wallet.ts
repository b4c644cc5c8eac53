/** What a device proves with who it is. */
export interface DeviceCredential {
  /** Lower-case hex SHA-256 of the certificate in DER. */
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/**
 * Where a device keeps its credentials. A dialer looks here whenever it dials, so that a device connects with a new
 * certificate as soon as it has one.
 */
export class Wallet {
  /** Its own certificate; undefined before it has one. */
  own: DeviceCredential | undefined;

  /** @param claim What many devices share until each has a certificate of its own. */
  constructor(readonly claim?: DeviceCredential) {}

  /** What the next connection shows. */
  get shown(): DeviceCredential | undefined {
    return this.own ?? this.claim;
  }
}
