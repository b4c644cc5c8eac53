import { describe, expect, it } from "vitest";
import { describeAction, playSession, profileOf, shrink } from "./fuzz-session.js";
import { cutSession } from "./split-points.js";

const SEED = 1;
const PACKETS = 50_000;
const CUT_SESSIONS = 4;

describe("fuzzed sessions", () => {
  it("neither break the broker nor leave anything behind", () => {
    let packets = 0;
    for (let index = 0; packets < PACKETS; index += 1) {
      const session = playSession(SEED, index);
      packets += session.packets;
      if (session.complaints.length === 0) continue;
      const actions = shrink(session.actions, profileOf(index)).map(describeAction);
      expect.fail(
        [`npm run fuzz -- --seed ${SEED} --session ${index}`, ...session.complaints, ...actions].join("\n"),
      );
    }
    expect(packets).toBeGreaterThanOrEqual(PACKETS);
  });

  it("end the same way wherever their bytes are cut", () => {
    const differences = Array.from(
      { length: CUT_SESSIONS },
      (_, index) => cutSession(SEED, index).difference,
    );
    expect(differences).toEqual(differences.map(() => undefined));
  });

  it("are the same for the same seed, and others for another", () => {
    const written = (seed: number): readonly string[] => playSession(seed, 0).actions.map(describeAction);
    expect(written(SEED)).toEqual(written(SEED));
    expect(written(SEED)).not.toEqual(written(SEED + 1));
  });
});
