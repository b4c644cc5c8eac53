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

/** The port of `host:port` or `[v6]:port`; undefined where there is none. */
export function portOf(remoteAddress: string): number | undefined {
  const [, port] = /^(?:\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(remoteAddress) ?? [];
  return port === undefined ? undefined : Number(port);
}
