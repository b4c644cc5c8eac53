// A program of a user: listens on every transport, is visited by clients that never finish, and stops.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { createBroker } from "fleetrig/broker";

const [key, cert] = process.argv.slice(2);
const broker = await createBroker({
  tls: { key, cert, watchS: 1 },
  listen: ["mqtt://127.0.0.1:0", "mqtts://127.0.0.1:0", "ws://127.0.0.1:0", "wss://127.0.0.1:0"],
});
for (const { port, transport } of broker.endpoints) {
  connect(port, "127.0.0.1")
    .on("error", () => undefined)
    .write("GET / HTTP");
  if (transport === "tls" || transport === "wss")
    connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
      .on("error", () => undefined)
      .write("GET ");
}
setTimeout(async () => {
  await broker.stop();
  process.stdout.write("stopped\n");
}, 300);
