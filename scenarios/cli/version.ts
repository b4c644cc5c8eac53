import packageJson from "fleetrig/package.json" with { type: "json" };

export const VERSION: string = packageJson.version;
