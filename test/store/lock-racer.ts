import { openStore, type Store } from "fleetrig/broker";

/** One of several processes that want the same data directory at the same moment; told by its parent when. */
export type RacerOrder =
  | { readonly order: "take"; readonly directory: string; readonly atMs: number }
  | { readonly order: "release" };

let store: Store | undefined;

const answer = (text: string): void => void process.send!(text);

process.on("message", async (message: RacerOrder) => {
  if (message.order === "release") {
    await store?.close();
    store = undefined;
    answer("released");
    return;
  }
  while (Date.now() < message.atMs);
  try {
    ({ store } = await openStore({ directory: message.directory, durability: "os" }));
    answer("owner");
  } catch (error) {
    answer((error as { code?: string }).code ?? String(error));
  }
});
answer("there");
