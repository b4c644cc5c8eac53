import type { LinkFaultDefinition } from "../link-fault.js";
import { bandwidth } from "./bandwidth.js";
import { blackhole } from "./blackhole.js";
import { dropPublish } from "./drop-publish.js";
import { flap } from "./flap.js";
import { latency } from "./latency.js";
import { loss } from "./loss.js";
import { noConnack } from "./no-connack.js";
import { refuse } from "./refuse.js";
import { reset } from "./reset.js";
import { stall } from "./stall.js";

/** Every fault a link can have, by the name a scenario uses. */
export const LINK_FAULTS: ReadonlyMap<string, LinkFaultDefinition> = new Map([
  ["link.latency", latency],
  ["link.bandwidth", bandwidth],
  ["link.loss", loss],
  ["link.blackhole", blackhole],
  ["link.reset", reset],
  ["link.flap", flap],
  ["link.refuse", refuse],
  ["link.no-connack", noConnack],
  ["link.drop-publish", dropPublish],
  ["link.stall", stall],
]);
