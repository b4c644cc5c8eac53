import type { Profile } from "fleetrig/protocol";
import { describeAction, playShortSession, profileOf } from "./fuzz-session.js";
import { type Action, FuzzStage } from "./fuzz-stage.js";

/** A session and what became of it when its bytes came in other pieces. */
export interface CutSession {
  /** How many cuts were tried. */
  readonly count: number;
  /** The first cut that changed something. */
  readonly difference: string | undefined;
}

/** Plays a short session once for every byte of its input, cut in two before that byte [MQTT-6.0.0-2 and TCP]. */
export function cutSession(seed: number, index: number): CutSession {
  const { actions } = playShortSession(seed, index);
  const profile = profileOf(index);
  const whole = transcript(actions, profile);
  let count = 0;
  for (const [at, action] of actions.entries()) {
    if (action.kind !== "send") continue;
    for (let cut = 1; cut < action.bytes.length; cut += 1) {
      const cutAction = { ...action, pieces: [cut] };
      count += 1;
      if (transcript(actions.with(at, cutAction), profile) === whole) continue;
      return { count, difference: actions.with(at, cutAction).map(describeAction).join("\n") };
    }
  }
  return { count, difference: undefined };
}

/** All bytes of the broker, connection by connection, in hex. */
function transcript(actions: readonly Action[], profile: Profile): string {
  const lines: Buffer[][] = [];
  const stage = new FuzzStage(profile, lines);
  const complaints = actions.flatMap((action) => stage.perform(action));
  return [...lines.map((pieces) => Buffer.concat(pieces).toString("hex")), ...complaints].join("\n");
}
