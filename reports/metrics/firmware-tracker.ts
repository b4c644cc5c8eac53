import type { RunEvent } from "fleetrig/kernel";
import { type MetricSources, shareOf } from "./measure.js";
import type { ThingDirectory } from "./thing-directory.js";

/** Which firmware each thing runs, by its own word. */
export class FirmwareTracker {
  private readonly versions = new Map<string, string>();

  constructor(readonly directory: ThingDirectory) {}

  on(event: RunEvent): void {
    if (event.type === "device.firmware") this.versions.set(event.thing, event.version);
  }

  versionOf(thing: string): string | undefined {
    return this.versions.get(thing);
  }

  get metrics(): MetricSources {
    return {
      "fleet.firmware": ({ version, group }) => {
        const known = [...this.versions].filter(([thing]) => this.directory.isIn(thing, group));
        const running = known.filter(([, one]) => version === undefined || one === version);
        return shareOf(running.length, known.length, "no thing told its firmware version");
      },
    };
  }
}
