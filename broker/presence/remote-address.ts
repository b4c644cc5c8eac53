/** The host of `host:port`, `[v6]:port` or `host`; a bare IPv6 address stays as it is. */
export function hostOf(remoteAddress: string): string {
  if (remoteAddress.startsWith("[")) {
    const end = remoteAddress.indexOf("]");
    return end === -1 ? remoteAddress : remoteAddress.slice(1, end);
  }
  const colon = remoteAddress.indexOf(":");
  return colon !== -1 && colon === remoteAddress.lastIndexOf(":")
    ? remoteAddress.slice(0, colon)
    : remoteAddress;
}
