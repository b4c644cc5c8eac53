import type { Timer } from "fleetrig/kernel";
import type { LinkControl, LinkFaultDefinition } from "../link-fault.js";

/** The link goes down for `down`, comes back for `up`, and so on, beginning with down. */
export const flap: LinkFaultDefinition = {
  description: "takes the link down and up in turns",
  parameters: {
    down: { kind: "duration", description: "how long it is unreachable each time" },
    up: { kind: "duration", description: "how long it works in between" },
  },
  create: (values) => {
    const downUs = Math.max(1, values["down"] as number);
    const upUs = Math.max(1, values["up"] as number);
    let isDown = false;
    let timer: Timer | undefined;
    const goDown = (control: LinkControl): void => {
      isDown = true;
      control.reset();
      timer = control.clock.after(downUs, comeUp, control);
    };
    const comeUp = (control: LinkControl): void => {
      isDown = false;
      timer = control.clock.after(upUs, goDown, control);
    };
    return {
      start: goDown,
      stop: () => timer?.cancel(),
      obstruct: () => (isDown ? "unreachable" : undefined),
    };
  },
};
