import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { threadId } from "node:worker_threads";

/**
 * Puts a file in the place of another, for the eyes of its owner only. Under its name the file is complete or the one before, whenever the
 * process or the machine ends, and whoever else does the same at that moment.
 * @throws what `node:fs` throws; nothing is left then.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${process.pid}-${threadId}.new`;
  try {
    rmSync(draft, { force: true });
    const file = openSync(draft, "wx", 0o600);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
