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
    const goDown = (control: LinkControl): void => stayDown(control, downUs);
    const stayDown = (control: LinkControl, forUs: number): void => {
      isDown = true;
      control.reset();
      timer = control.clock.after(forUs, comeUp, control);
    };
    const comeUp = (control: LinkControl): void => {
      isDown = false;
      timer = control.clock.after(upUs, goDown, control);
    };
    /** A path younger than the fault joins the turn that it is: all links of a fault go down together. */
    const join = (control: LinkControl, injectedUs: number): void => {
      const turnUs = (control.clock.nowUs() - injectedUs) % (downUs + upUs);
      if (turnUs < downUs) stayDown(control, downUs - turnUs);
      else timer = control.clock.after(downUs + upUs - turnUs, goDown, control);
    };
    return {
      start: join,
      stop: () => timer?.cancel(),
      obstruct: () => (isDown ? "unreachable" : undefined),
    };
  },
};
