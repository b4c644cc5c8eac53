import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";

/** A query that cannot be read. @param at Where, counted from 0; the message counts from 1. */
export const queryError = (at: number, problem: string, hint: string): FleetrigError =>
  cloudError("InvalidQueryException", `Position ${at + 1} of the query: ${problem}.`, {
    hint,
    context: { position: at + 1 },
  });
