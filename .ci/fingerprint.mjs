// One run of one scenario: prints its fingerprint and the sha256 of its record, the environment left out.
import { createHash } from "node:crypto";
import { runScenarioFile } from "fleetrig/testing";

const { environment: _environment, ...record } = await runScenarioFile(process.argv[2], { clock: "virtual" });
const sha256 = createHash("sha256").update(JSON.stringify(record)).digest("hex");
console.log(`${record.fingerprint} ${sha256}`);
