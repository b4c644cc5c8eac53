import { createRequire } from "node:module";

const packageJson = createRequire(import.meta.url)("fleetrig/package.json") as { readonly version: string };

/** Version of this fleetrig. */
export const VERSION: string = packageJson.version;
