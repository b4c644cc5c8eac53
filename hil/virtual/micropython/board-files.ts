import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The part of Emscripten's file system that a board's files need. */
export interface MemoryFiles {
  close(stream: { readonly path: string; readonly flags: number }): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  mkdir(path: string, mode?: number): void;
  rmdir(path: string): void;
  readFile(path: string): Uint8Array;
  writeFile(path: string, content: string | Uint8Array): void;
}

/** Folders of the interpreter, which a board's flash does not have. */
const INTERNAL = /^\/(?:dev|proc|tmp|home|lib\/\.virtual)(?:\/|$)/;
const WRITES = 0b11;

/** Puts the files of a board's flash where the interpreter sees them. */
export function loadFiles(files: MemoryFiles, folder: string, below = ""): void {
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    if (statSync(join(folder, path)).isDirectory()) {
      makeFolder(files, `/${path}`);
      loadFiles(files, folder, path);
    } else files.writeFile(`/${path}`, readFileSync(join(folder, path)));
  }
}

/** Writes through what a script changes: a file when it is closed, everything else at once. A power cut leaves the old file or the new one. */
export function keepFiles(files: MemoryFiles, folder: string): void {
  const { close, unlink, rename, mkdir, rmdir } = files;
  const host = (path: string): string | undefined => {
    const absolute = path.startsWith("/") ? path : `/${path}`;
    return INTERNAL.test(absolute) ? undefined : join(folder, absolute);
  };
  files.close = (stream) => {
    close.call(files, stream);
    const target = host(stream.path);
    if (target === undefined || (stream.flags & WRITES) === 0) return;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(`${target}.new`, files.readFile(stream.path));
    renameSync(`${target}.new`, target);
  };
  files.unlink = (path) => {
    unlink.call(files, path);
    remove(host(path));
  };
  files.rmdir = (path) => {
    rmdir.call(files, path);
    remove(host(path));
  };
  files.mkdir = (path, mode) => {
    mkdir.call(files, path, mode);
    const target = host(path);
    if (target !== undefined) mkdirSync(target, { recursive: true });
  };
  files.rename = (from, to) => {
    rename.call(files, from, to);
    const [source, target] = [host(from), host(to)];
    if (source !== undefined && target !== undefined) renameSync(source, target);
  };
}

export function makeFolder(files: MemoryFiles, path: string): void {
  try {
    files.mkdir(path);
  } catch {
    // It is there already.
  }
}

function remove(path: string | undefined): void {
  if (path !== undefined) rmSync(path, { recursive: true, force: true });
}
