import { ForeignClient, type Observation } from "./foreign-client.js";
import type { Script, Step } from "./script.js";

/** What every slot saw after each step; the last entries are the auditor's view of what is retained. */
export type Recording = readonly (readonly Observation[])[];

/** Rounds of pings that must bring nothing new before the next step. */
const QUIET_ROUNDS = 2;

/** Plays a script against one broker; nobody acts before everything that the last step caused has come. */
export async function play(script: Script, port: number): Promise<Recording> {
  const { prefix, slots, steps } = script;
  const clients = Array.from({ length: slots }, (_, slot) => new ForeignClient(port, `${prefix}-${slot}`));
  const recording: Observation[][] = [];
  for (const step of steps) {
    await perform(step, clients[step.slot]!);
    await rest(clients);
    recording.push(clients.map((client) => client.take()));
  }
  recording.push([await audit(prefix, port)]);
  await Promise.all(clients.map((client) => endSession(client)));
  return recording;
}

function perform(step: Step, client: ForeignClient): Promise<void> | void {
  switch (step.kind) {
    case "connect":
      return client.connect(step.connect);
    case "subscribe":
      return client.subscribe(step.filters, step.identifier);
    case "unsubscribe":
      return client.unsubscribe(step.filters);
    case "publish":
      return client.publish(step.messages);
    case "disconnect":
      return client.disconnect(step.reason, step.expiryS);
    case "drop":
      return client.drop();
    default:
      return client.mute();
  }
}

async function rest(clients: readonly ForeignClient[]): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < QUIET_ROUNDS; ) {
    await Promise.all(clients.map((client) => client.ping()));
    const activity = clients.reduce((sum, client) => sum + client.activity, 0);
    quiet = activity === before ? quiet + 1 : 0;
    before = activity;
  }
}

/** What is retained in the end, and nothing of it left behind. */
async function audit(prefix: string, port: number): Promise<Observation> {
  const auditor = new ForeignClient(port, `${prefix}-auditor`);
  await auditor.connect({ version: 5, clean: true });
  await auditor.subscribe([{ topic: `${prefix}/#`, qos: 0, nl: true, rap: true, rh: 0 }]);
  await rest([auditor]);
  const observation = auditor.take();
  const clearing = observation.deliveries.map(
    ({ topic }) => ({ topic, payload: "", qos: 1, retain: true }) as const,
  );
  await auditor.publish(clearing);
  await auditor.disconnect(0);
  return observation;
}

async function endSession(client: ForeignClient): Promise<void> {
  await client.connect({ version: 4, clean: true });
  await client.disconnect(0);
}
