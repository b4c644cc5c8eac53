import { CRASH_KINDS } from "fleetrig/hil";
import { z } from "zod";
import { block, choice, flag, freeObject, integer, list, name, qos, text } from "./block.js";
import { attachPolicyBlock, certificateStatus } from "./cloud.js";
import { expression } from "./expectations.js";
import { FAULT_NAMES } from "./faults.js";
import { cancelJobBlock, createJobBlock, payloadValue } from "./job.js";
import { message, nameValue } from "./message.js";
import { duration, share } from "./quantities.js";
import { selection } from "./selection.js";

/** Pins and channels are numbers, and keys of objects are text. */
const pinNumber = z.string().regex(/^\d{1,3}$/, {
  error: (issue) => message(`${nameValue(issue.input)} is not a pin.`, "Write its number, such as 4."),
});

const id = name("Label of the action in expectations and reports.").optional();

/** What `setState` does to one value. */
const stateChange = z.union(
  [
    z.string(),
    z.number(),
    z.boolean(),
    block({
      rampTo: z.number().meta({ description: "Value at the end of the ramp." }),
      over: duration("Length of the ramp."),
    }),
    block({ to: z.union([z.string(), z.number(), z.boolean()]) }),
  ],
  {
    error: (issue) =>
      message(
        `Expected a value or a ramp, but found ${nameValue(issue.input)}.`,
        "Write 34, or { rampTo: 34, over: 2m }.",
      ),
  },
);

/** Every verb an action may have. */
export const VERBS = {
  connect: block({
    id,
    select: selection.optional(),
    over: duration("Spreads the wave.").optional(),
  }),
  disconnect: block({
    id,
    select: selection.optional(),
    mode: choice(
      ["graceful", "ungraceful", "blackhole", "no-connack"],
      "DISCONNECT; FIN or RST; packets vanish; CONNACK never comes.",
    ).optional(),
    over: duration("Spreads the wave.").optional(),
    hold: duration("Keeps the link down; clients keep retrying.").optional(),
    repeat: integer("How often, for a flapping link.", 1, 1000).optional(),
  }),
  setState: z
    .object({ id, select: selection.optional() })
    .catchall(stateChange)
    .meta({ description: "Moves signals towards values; other names go to the device model." }),
  updateShadow: block({
    id,
    select: selection.optional(),
    shadowName: name("Named shadow; without it, the classic shadow.").optional(),
    desired: freeObject("Desired state."),
    version: integer("Version that the shadow must have.", 0, Number.MAX_SAFE_INTEGER).optional(),
  }),
  createJob: createJobBlock,
  cancelJob: cancelJobBlock,
  inject: block({
    id,
    fault: choice(FAULT_NAMES, "Name of the fault."),
    select: selection.optional(),
    probability: share("Chance of each selected thing to get it; default 100%.").optional(),
    for: duration("How long it lasts; without it, to the end of the run.").optional(),
    detail: freeObject("Details that the fault takes.").optional(),
  }),
  publish: block({
    id,
    select: selection.optional(),
    topic: text("Topic; may name {thingName} and attributes when things are selected.", 512),
    payload: payloadValue.optional(),
    qos: qos("QoS.").optional(),
    retain: flag("Retain flag.").optional(),
  }),
  attachPolicy: block({ id, select: selection.optional(), ...attachPolicyBlock("attached") }),
  detachPolicy: block({ id, select: selection.optional(), ...attachPolicyBlock("detached") }),
  updateCertificate: block({ id, select: selection.optional(), newStatus: certificateStatus }),
  rotateCertificates: block({
    id,
    select: selection.optional(),
    over: duration("Spreads the wave.").optional(),
    deactivateAfter: duration("How long the certificate before stays active; default 1m.").optional(),
  }),
  reset: block({ id, select: selection.optional() }),
  powerCycle: block({
    id,
    select: selection.optional(),
    off: duration("How long the power is gone; default 1s.").optional(),
  }),
  deepSleep: block({ id, select: selection.optional(), for: duration("How long.") }),
  stimulate: block({
    id,
    select: selection.optional(),
    gpio: z.record(pinNumber, z.boolean()).meta({ description: "Levels by pin number." }).optional(),
    adc: z
      .record(pinNumber, z.number().min(0).max(10_000))
      .meta({ description: "Millivolts by channel number." })
      .optional(),
  }),
  crash: block({
    id,
    select: selection.optional(),
    kind: choice(CRASH_KINDS, "How the firmware fails."),
  }),
  awaitLog: block({
    id,
    select: selection.optional(),
    pattern: text("Regular expression (RE2) that a log line must match.", 512),
    within: duration("Longest time to wait; default 10s.").optional(),
    survivesRestart: flag("A panic or restart does not end the wait.").optional(),
  }),
  restartBroker: block({ id, downFor: duration("How long the broker is away.").optional() }),
  checkpoint: name("Label of a moment in the trace."),
} as const;

export type Verb = keyof typeof VERBS;

const action = block({
  at: duration("When, from the start of the stage."),
  connect: VERBS.connect.optional().meta({ description: "Connects things now." }),
  disconnect: VERBS.disconnect.optional().meta({ description: "Takes things offline." }),
  setState: VERBS.setState.optional(),
  updateShadow: VERBS.updateShadow.optional().meta({ description: "Writes the desired state of things." }),
  createJob: VERBS.createJob.optional().meta({ description: "AWS CreateJob, with a selection as targets." }),
  cancelJob: VERBS.cancelJob.optional().meta({ description: "AWS CancelJob." }),
  inject: VERBS.inject.optional().meta({ description: "Switches a fault on." }),
  publish: VERBS.publish
    .optional()
    .meta({ description: "Publishes one message, or one per selected thing." }),
  attachPolicy: VERBS.attachPolicy.optional().meta({ description: "AWS AttachPolicy." }),
  detachPolicy: VERBS.detachPolicy.optional().meta({ description: "AWS DetachPolicy." }),
  updateCertificate: VERBS.updateCertificate
    .optional()
    .meta({ description: "AWS UpdateCertificate on the certificates of things." }),
  rotateCertificates: VERBS.rotateCertificates
    .optional()
    .meta({ description: "Gives things new certificates, and deactivates the ones before later." }),
  reset: VERBS.reset.optional().meta({ description: "Boards: pulls EN." }),
  powerCycle: VERBS.powerCycle.optional().meta({ description: "Boards: takes the power for a while." }),
  deepSleep: VERBS.deepSleep.optional().meta({ description: "Boards: deep sleep, and back." }),
  stimulate: VERBS.stimulate.optional().meta({ description: "Boards: sets pins and analogue inputs." }),
  crash: VERBS.crash.optional().meta({ description: "Boards: makes the firmware fail." }),
  awaitLog: VERBS.awaitLog.optional().meta({
    description: "Boards: a log line must come, or have come since the last one waited for.",
  }),
  restartBroker: VERBS.restartBroker
    .optional()
    .meta({ description: "Stops the broker and starts it again." }),
  checkpoint: VERBS.checkpoint.optional(),
}).meta({
  id: "action",
  description: "at, and exactly one verb.",
  minProperties: 2,
  maxProperties: 2,
});

export const stage = block({
  name: name("Name of the stage."),
  duration: duration("How long; instead of until.").optional(),
  until: expression("Ends the stage: metric op literal, or a metric that is true.").optional(),
  timeout: duration("Longest time to wait for until; reaching it is reported.").optional(),
  measure: flag("false keeps the stage in the trace but out of every metric.").optional(),
  actions: list(action, "What happens in the stage.").optional(),
});

export type ActionDocument = z.infer<typeof action>;
export type StageDocument = z.infer<typeof stage>;
