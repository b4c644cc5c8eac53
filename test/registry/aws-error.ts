import { FleetrigError } from "fleetrig/kernel";

/** AWS's name of the error that `action` throws; "none" when it succeeds. */
export function awsErrorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    if (error instanceof FleetrigError) return error.context["awsError"];
    throw error;
  }
  return "none";
}
