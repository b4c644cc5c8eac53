import { createBroker } from "fleetrig/broker";

/**
 * The broker in a process of its own, as its peers are, with everything on that a user would have on:
 * authorisation, events, metrics, default limits. Prints its port. `name=value` arguments change limits;
 * `data=<folder>` makes it durable, on disk; `tls=<folder>` asks clients for certificates of the authority in that folder.
 */
const options = new Map(process.argv.slice(2).map((argument) => argument.split("=") as [string, string]));
const folder = options.get("tls");
options.delete("tls");
const dataDir = options.get("data");
options.delete("data");
const broker = await createBroker({
  listen: [
    folder === undefined
      ? "mqtt://127.0.0.1:0"
      : {
          tls: {
            key: `${folder}/server.key`,
            cert: `${folder}/server.crt`,
            ca: `${folder}/ca.crt`,
            clientCertificates: "require",
          },
        },
  ],
  http: { port: 0 },
  ...(dataDir !== undefined && { dataDir }),
  limits: Object.fromEntries(Array.from(options, ([name, value]) => [name, Number(value)])),
  hooks: {
    authorizeConnect: () => "allow",
    authorizePublish: () => true,
    authorizeSubscribe: () => true,
  },
});
// Ends as a program and not by the signal, so that a profiler can write what it saw.
process.once("SIGTERM", () => process.exit(0));
process.stdout.write(String(broker.endpoints[0]!.port));
