export { type Cost, costOf } from "./cost.js";
export { meteredEvents } from "./metered-events.js";
export { Metering, type MeterReading } from "./metering.js";
export { type MeterName, type PriceList, PRICES_US_EAST_1 } from "./prices.js";
