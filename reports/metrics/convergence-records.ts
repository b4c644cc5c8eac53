import type { ConvergenceRecord } from "../record/run-record.js";
import type { Observation } from "./observation.js";
import { accumulate, countPerStep } from "./series-records.js";

/** One row per `updateShadow` action: how many things followed, and how fast. */
export function convergenceRecords({ shadows }: Observation): ConvergenceRecord[] {
  return shadows.actions.map(({ id, atUs, things }) => {
    const updates = shadows.select({ update: id });
    const converged = updates.flatMap((update) => update.convergedUs ?? []);
    const superseded = updates.filter((update) => update.isSuperseded).length;
    const endUs = converged.reduce((last, us) => Math.max(last, us + 1), atUs + 1_000_000);
    const { stepUs, counts } = countPerStep(converged, atUs, endUs);
    const targeted = Math.max(things.size, updates.length);
    return {
      update: id,
      targeted,
      converged: converged.length,
      superseded,
      curve: {
        name: "shadow.converged",
        labels: { update: id },
        unit: "%",
        startMs: atUs / 1000,
        stepMs: stepUs / 1000,
        points: accumulate(counts).map((count) => (targeted === 0 ? null : (count * 100) / targeted)),
      },
    };
  });
}
