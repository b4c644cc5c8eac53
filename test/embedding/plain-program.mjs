import { runScenarioFile } from "fleetrig/testing";

/** Runs a scenario in virtual and in real time, says what is still open a moment later, and ends by itself. */
const scenario = new URL("sensor-wave.yaml", import.meta.url);
const verdicts = [];
for (const clock of ["virtual", "real"]) verdicts.push((await runScenarioFile(scenario, { clock })).verdict);

const begun = Date.now();
const look = () => {
  const left = process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate" && kind !== "PipeWrap");
  if (left.length > 0 && Date.now() - begun < 1_000) setImmediate(look);
  else process.stdout.write(JSON.stringify({ verdicts, left }));
};
setImmediate(look);
