import { Cloud, createVirtualIssuer } from "fleetrig/broker";
import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { Device, peerWith, policyText } from "../identity/device.js";
import type { BenchCase, Figure } from "./bench-case.js";

const CERTIFICATES = 1_000_000;
const MESSAGES = 200_000;
const SUBSCRIBERS = 5_000;

const newCloud = (isEnforced: boolean): Cloud =>
  new Cloud({
    time: new VirtualTime(),
    issuer: createVirtualIssuer(createRandomSource(1).stream("issuer")),
    services: { presence: false, rules: false, shadows: false, jobs: false },
    ...(isEnforced && { access: {} }),
  });

function deviceOf(cloud: Cloud, clientId: string): Device {
  const { identity } = cloud;
  const made = identity.registration.createKeysAndCertificate({ setAsActive: true });
  if (made instanceof Promise) throw new TypeError("the issuer has no keys ready");
  if (identity.policies.find("p") === undefined)
    identity.policies.create(
      "p",
      policyText(
        ["Allow", "Connect", "client/*"],
        ["Allow", "Subscribe", "topicfilter/dt/*"],
        ["Allow", ["Publish", "Receive"], ["topic/dt/${iot:ClientId}/*", "topic/dt/all/*"]],
      ),
    );
  identity.attachPolicy("p", made.certificate.certificateId);
  const device = new Device(cloud, clientId, { peer: peerWith(made.certificatePem) });
  device.subscribe("dt/all/#");
  return device;
}

function heapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** One subscriber; µs per message, by how many topics take turns. */
function deliveryCost(isEnforced: boolean, topics: number): number {
  const cloud = newCloud(isEnforced);
  const device = deviceOf(cloud, "d1");
  const names = Array.from({ length: topics }, (_, n) => `dt/all/${n}`);
  const payload = Buffer.from("x");
  const publish = (count: number): void => {
    for (let n = 0; n < count; n += 1) cloud.broker.publish({ topic: names[n % topics]!, payload, qos: 0 });
    device.packets.length = 0;
  };
  for (let n = 0; n < 10; n += 1) publish(5_000);
  const began = performance.now();
  for (let n = 0; n < MESSAGES / 5_000; n += 1) publish(5_000);
  return ((performance.now() - began) * 1000) / MESSAGES;
}

/** Every message goes to all of many subscribers; µs per delivery. */
function fanOutCost(isEnforced: boolean, subscribers: number): number {
  const cloud = newCloud(isEnforced);
  const devices = Array.from({ length: subscribers }, (_, n) => deviceOf(cloud, `d${n}`));
  const payload = Buffer.from("x");
  const rounds = Math.ceil(MESSAGES / subscribers);
  const publish = (): void => {
    cloud.broker.publish({ topic: "dt/all/x", payload, qos: 0 });
    for (const device of devices) device.packets.length = 0;
  };
  for (let n = 0; n < 5; n += 1) publish();
  const began = performance.now();
  for (let n = 0; n < rounds; n += 1) publish();
  return ((performance.now() - began) * 1000) / (rounds * subscribers);
}

const decisions: BenchCase = {
  name: "access-decisions",
  description: "what policies add to a delivery in memory, by how many topics take turns",
  async run() {
    const figures = [1, 32, 1000].map((topics): Figure => {
      const value = deliveryCost(true, topics) - deliveryCost(false, topics);
      return { name: `delivery to one, ${topics} topics`, value, unit: "µs", most: 1 };
    });
    const value = fanOutCost(true, SUBSCRIBERS) - fanOutCost(false, SUBSCRIBERS);
    return [...figures, { name: `delivery to each of ${SUBSCRIBERS}`, value, unit: "µs", most: 1 }];
  },
};

const certificates: BenchCase = {
  name: "access-certificates",
  description: `${CERTIFICATES} certificates with a policy attached, from a virtual issuer`,
  async run() {
    const { identity } = newCloud(true);
    identity.policies.create("p", policyText(["Allow", "*", "*"]));
    const before = heapBytes();
    const startedMs = performance.now();
    for (let n = 0; n < CERTIFICATES; n += 1) {
      const made = identity.registration.createKeysAndCertificate({ setAsActive: true });
      if (made instanceof Promise) throw new TypeError("the issuer has no keys ready");
      identity.attachPolicy("p", made.certificate.certificateId);
    }
    const perSecond = CERTIFICATES / ((performance.now() - startedMs) / 1000);
    const bytes = (heapBytes() - before) / CERTIFICATES;
    const pageMs = performance.now();
    identity.certificates.list({ pageSize: 250 });
    return [
      { name: "certificates made and attached", value: perSecond, unit: "1/s" },
      { name: "memory per certificate", value: bytes, unit: "B", most: 1_200 },
      { name: "a page of 250", value: performance.now() - pageMs, unit: "ms", most: 5 },
    ];
  },
};

export const ACCESS_CASES: readonly BenchCase[] = [decisions, certificates];
