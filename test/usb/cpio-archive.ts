/** Archives as the kernel unpacks them into its first root, in the format "newc". */
export interface ArchiveEntry {
  readonly path: string;
  /** Kind and permissions, as stat has them. */
  readonly mode: number;
  readonly bytes?: Uint8Array;
}

const TRAILER = "TRAILER!!!";
const ALIGNMENT = 4;

export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  return Buffer.concat([...entries, { path: TRAILER, mode: 0 }].flatMap(pieces));
}

function pieces({ path, mode, bytes = new Uint8Array() }: ArchiveEntry, index: number): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // Inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum.
  const fields = [index + 1, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), bytes, padding(bytes.length)];
}

const padding = (lengthBytes: number): Uint8Array =>
  new Uint8Array((ALIGNMENT - (lengthBytes % ALIGNMENT)) % ALIGNMENT);
