import {
  accessSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";

/** What enumeration and its doctor see of the machine. Nothing throws: what is not there, or may not be seen, is undefined or empty. */
export interface SystemFiles {
  /** Names in a folder. */
  list(folder: string): readonly string[];
  /** Text of a small file, without the line feed at its end. */
  read(path: string): string | undefined;
  /** The path with all links resolved. */
  resolve(path: string): string | undefined;
  /** Where a link points, as it stands there. */
  link(path: string): string | undefined;
  owner(path: string): FileOwner | undefined;
  isWritable(path: string): boolean;
}

export interface FileOwner {
  readonly userId: number;
  readonly groupId: number;
  /** Permission bits, such as 0o660. */
  readonly mode: number;
}

const attempt = <T>(look: () => T): T | undefined => {
  try {
    return look();
  } catch {
    return undefined;
  }
};

/** The machine this runs on. */
export const hostSystemFiles: SystemFiles = {
  list: (folder) => attempt(() => readdirSync(folder)) ?? [],
  read: (path) => attempt(() => readFileSync(path, "utf8").replace(/\n$/, "")),
  resolve: (path) => attempt(() => realpathSync.native(path)),
  link: (path) => attempt(() => readlinkSync(path)),
  owner: (path) =>
    attempt(() => {
      const { uid, gid, mode } = statSync(path);
      return { userId: uid, groupId: gid, mode: mode & 0o7777 };
    }),
  isWritable: (path) => attempt(() => (accessSync(path, constants.W_OK), true)) ?? false,
};
