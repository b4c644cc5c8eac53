/** Addresses and ranges of IpAddress conditions: IPv4 and IPv6, a range as `address/bits`. */
export interface IpRange {
  readonly address: IpAddress;
  /** Leading bits that count. */
  readonly bits: number;
}

/** Sixteen bits at a time: two parts for IPv4, eight for IPv6. */
export type IpAddress = readonly number[];

/** `10.0.0.0/8`, `::1`; undefined when it is neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [addressText = "", bitsText, ...rest] = text.split("/");
  const address = parseIpAddress(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  const most = address.length * 16;
  if (bitsText === undefined) return { address, bits: most };
  if (!/^\d{1,3}$/.test(bitsText) || Number(bitsText) > most) return undefined;
  return { address, bits: Number(bitsText) };
}

/** Does the range have the address? IPv4 addresses that came in IPv6 form are IPv4 addresses. */
export function ipRangeHas({ address, bits }: IpRange, candidate: IpAddress): boolean {
  if (address.length !== candidate.length) return false;
  for (let part = 0; part * 16 < bits; part += 1) {
    const unread = Math.max(0, 16 - (bits - part * 16));
    if (address[part]! >> unread !== candidate[part]! >> unread) return false;
  }
  return true;
}

/** An address of either family; undefined when the text is none. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const parts = parseIpv6(text);
  const isMapped = parts?.slice(0, 5).every((part) => part === 0) === true && parts[5] === 0xffff;
  return isMapped ? parts.slice(6) : parts;
}

function parseIpv4(text: string): IpAddress | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number);
  if (bytes === undefined || bytes.some((byte) => byte > 255)) return undefined;
  return [bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!];
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = ipv6Groups(halves[0]!);
  const tail = halves.length === 2 ? ipv6Groups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function ipv6Groups(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 && part.includes(".") ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
