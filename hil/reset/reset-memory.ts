import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "fleetrig/kernel";
import { z } from "zod";
import type { ResetMode } from "./reset-method.js";

/** What worked for which board, by `BoardIdentity.key`. */
export interface ResetMemory {
  recall(key: string, mode: ResetMode): string | undefined;
  learn(key: string, mode: ResetMode, method: string): void;
}

const MAX_BOARDS = 4096;
const entrySchema = z.object({ run: z.string().max(64).optional(), download: z.string().max(64).optional() });
const fileSchema = z.object({
  schema: z.literal(1),
  boards: z.array(z.tuple([z.string().max(400), entrySchema])),
});

type Entry = z.infer<typeof entrySchema>;

/** Remembers for as long as the process lives. */
export class VolatileResetMemory implements ResetMemory {
  protected boards = new Map<string, Entry>();

  recall(key: string, mode: ResetMode): string | undefined {
    return this.boards.get(key)?.[mode];
  }

  learn(key: string, mode: ResetMode, method: string): void {
    const entry = { ...this.boards.get(key), [mode]: method };
    // The latest is the last one, so the oldest is forgotten.
    this.boards.delete(key);
    this.boards.set(key, entry);
    for (const oldest of this.boards.keys()) {
      if (this.boards.size <= MAX_BOARDS) break;
      this.boards.delete(oldest);
    }
  }
}

/** Remembers in a small JSON file. Losing it costs a few seconds, so nothing about it is an error. */
export class ResetMemoryFile extends VolatileResetMemory {
  constructor(private readonly file: string) {
    super();
    this.load();
  }

  override learn(key: string, mode: ResetMode, method: string): void {
    if (this.recall(key, mode) === method) return;
    // Others may have learned something meanwhile.
    this.load();
    super.learn(key, mode, method);
    try {
      mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
      replaceFile(this.file, JSON.stringify({ schema: 1, boards: [...this.boards] }));
    } catch {
      // Learned again the next time.
    }
  }

  private load(): void {
    try {
      const parsed = fileSchema.safeParse(JSON.parse(readFileSync(this.file, "utf8")));
      if (parsed.success) this.boards = new Map(parsed.data.boards);
    } catch {
      // Nothing is known yet.
    }
  }
}
