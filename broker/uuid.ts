import type { Random } from "fleetrig/kernel";

const hex = (value: number): string => value.toString(16).padStart(8, "0");

/** A random UUID (RFC 9562, version 4) from a named stream, so that a replay shows the same one. */
export function uuidV4(random: Random): string {
  const [a, b, c, d] = [random.uint32(), random.uint32(), random.uint32(), random.uint32()];
  const middle = hex(((b & 0xffff_0fff) | 0x0000_4000) >>> 0);
  const variant = hex(((c & 0x3fff_ffff) | 0x8000_0000) >>> 0);
  return `${hex(a)}-${middle.slice(0, 4)}-${middle.slice(4)}-${variant.slice(0, 4)}-${variant.slice(4)}${hex(d)}`;
}
