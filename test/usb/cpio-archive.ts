import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

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

const LINK_MODE = 0o120777;
const PERMISSIONS = 0o7777;

/** A folder with all that is in it. */
export function filesOf(folder: string, path: string): readonly ArchiveEntry[] {
  const inside = readdirSync(folder, { withFileTypes: true }).flatMap((entry): readonly ArchiveEntry[] => {
    const file = join(folder, entry.name);
    const target = `${path}/${entry.name}`;
    if (entry.isDirectory()) return filesOf(file, target);
    if (entry.isSymbolicLink())
      return [{ path: target, mode: LINK_MODE, bytes: Buffer.from(readlinkSync(file)) }];
    return [
      { path: target, mode: 0o100000 | (lstatSync(file).mode & PERMISSIONS), bytes: readFileSync(file) },
    ];
  });
  return [{ path, mode: 0o40755 }, ...inside];
}

/** Single files under their own paths, with the folders above them. */
export function placedFiles(files: readonly string[], root: string): readonly ArchiveEntry[] {
  const folders = new Set<string>();
  for (const file of files) {
    const names = file.split("/").slice(1, -1);
    for (let depth = 1; depth <= names.length; depth += 1) folders.add(names.slice(0, depth).join("/"));
  }
  return [
    ...[...folders].sort().map((path) => ({ path: `${root}/${path}`, mode: 0o40755 })),
    ...files.map((file) => ({ path: `${root}${file}`, mode: 0o100755, bytes: readFileSync(file) })),
  ];
}
