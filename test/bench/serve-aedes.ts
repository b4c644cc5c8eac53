import { createServer } from "node:net";
import { Aedes } from "aedes";

/** The peer that is also written for Node, with its defaults. Prints its port. */
const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(String(typeof address === "object" && address !== null ? address.port : 0));
});
