import { createBroker } from "fleetrig/broker";

/**
 * The broker in a process of its own, as its peers are, with everything on that a user would have on:
 * authorisation, events, metrics, default limits. Prints its port. `name=value` arguments change limits.
 */
const limits = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const [name, value] = argument.split("=");
    return [name, Number(value)];
  }),
);
const broker = await createBroker({
  listen: ["mqtt://127.0.0.1:0"],
  http: { port: 0 },
  limits,
  hooks: {
    authorizeConnect: () => "allow",
    authorizePublish: () => true,
    authorizeSubscribe: () => true,
  },
});
// Ends as a program and not by the signal, so that a profiler can write what it saw.
process.once("SIGTERM", () => process.exit(0));
process.stdout.write(String(broker.endpoints[0]!.port));
