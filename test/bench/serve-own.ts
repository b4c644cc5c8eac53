import { createCloud } from "fleetrig/broker";

/**
 * The embedded broker in a process of its own, as its peers are, with everything on that a user would have on:
 * authorisation, statistics, default limits. Prints its port. `key=value` arguments change limits.
 */
const limits = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const [name, value] = argument.split("=");
    return [name, Number(value)];
  }),
);
const cloud = await createCloud({
  profile: "oasis",
  limits,
  services: { rules: false, jobs: false, shadows: false, presence: false },
});
cloud.broker.addHooks({
  authorizeConnect: () => "allow",
  authorizePublish: () => true,
  authorizeSubscribe: () => true,
});
const { port } = await cloud.listen();
process.stdout.write(String(port));
