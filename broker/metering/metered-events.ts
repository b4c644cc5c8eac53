import type { EventSink } from "fleetrig/kernel";
import type { Metering } from "./metering.js";

/** Turns the meters of remote actions: every attempt at a job is one, retries too. */
export const meteredEvents = (metering: Metering): EventSink => ({
  emit: (event) => {
    if (event.type === "job.execution" && event.status === "QUEUED") metering.turn("jobExecutions");
  },
});
