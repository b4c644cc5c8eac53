/** List prices of one region on one day, in US dollars per million units unless said otherwise. */
export interface PriceList {
  readonly region: string;
  /** The day on which somebody looked. */
  readonly asOf: string;
  /** Meters without a price are counted and not charged. */
  readonly perMillion: Readonly<Partial<Record<MeterName, number>>>;
}

/** What AWS IoT charges for, each with a price of its own (REF §17). */
export type MeterName =
  | "connectionMinutes"
  | "messages"
  | "rulesTriggered"
  | "ruleActions"
  | "shadowOperations"
  | "registryOperations"
  | "jobExecutions"
  | "indexQueries";

/**
 * us-east-1 as tutorials quote it; check it against AWS's page before you budget with it. Messages are those of the
 * first billion a month.
 */
export const PRICES_US_EAST_1: PriceList = {
  region: "us-east-1",
  asOf: "2026-08-01",
  perMillion: {
    connectionMinutes: 0.08,
    messages: 1,
    rulesTriggered: 0.15,
    ruleActions: 0.15,
    shadowOperations: 1.25,
    registryOperations: 1.25,
  },
};
