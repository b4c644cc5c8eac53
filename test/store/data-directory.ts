import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Damage, openStore, type Store, type StoreChange } from "fleetrig/broker";
import { onTestFinished } from "vitest";

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "fleetrig-store-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const committed = (store: Store, changes: readonly StoreChange[]): Promise<void> =>
  new Promise((resolve, reject) => store.commit(changes, (error) => (error ? reject(error) : resolve())));

export const put = (key: string, value: Uint8Array): StoreChange => ({ type: "put", key, value });

export async function contentOf(store: Store, prefix = ""): Promise<Map<string, Buffer>> {
  const content = new Map<string, Buffer>();
  for await (const slice of store.scan(prefix))
    for (const { key, value } of slice) content.set(key, Buffer.from(value));
  return content;
}

/** Opens, reads everything and closes again. */
export async function reread(
  directory: string,
): Promise<{ readonly content: Map<string, Buffer>; readonly damage: readonly Damage[] }> {
  const { store, damage } = await openStore({ directory, durability: "os" });
  const content = await contentOf(store);
  await store.close();
  return { content, damage };
}
