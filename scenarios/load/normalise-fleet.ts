import { US_PER_S } from "fleetrig/kernel";
import type { MqttPlan, SignalSpec } from "fleetrig/sim";
import type { AttributeDocument, FleetGroupDocument } from "../schema/fleet.js";
import { durationUs, fraction, ratePerSecond } from "../schema/quantities.js";
import type { SignalDocument } from "../schema/signals.js";
import type { ArrivalSpec, AttributeSpec, FleetGroup, TelemetrySpec } from "../scenario.js";
import { loginOf, normaliseIdentity } from "./normalise-cloud.js";
import { normaliseDistribution } from "./normalise-distribution.js";

export function normaliseGroup(document: FleetGroupDocument): FleetGroup {
  const { shadow, ota, reconnect } = document;
  return {
    group: document.group,
    model: document.model,
    count: document.things?.length ?? document.count ?? 1,
    thingName: document.thingName ?? `${document.group}-{index}`,
    things: document.things,
    requires: document.requires,
    attributes: mapValues(document.attributes ?? {}, normaliseAttribute),
    thingType: document.thingType,
    thingGroups: document.thingGroups ?? [],
    identity: document.identity === undefined ? undefined : normaliseIdentity(document.identity),
    network: document.network,
    mqtt: {
      ...normaliseMqtt(document.mqtt),
      ...(document.identity?.authorizer !== undefined && { login: loginOf(document.identity) }),
    },
    arrival: normaliseArrival(document.connect?.arrival),
    reconnect: {
      policy: reconnect?.policy ?? "full-jitter",
      baseUs: durationUs(reconnect?.base ?? "1s"),
      capUs: durationUs(reconnect?.cap ?? "60s"),
      resetAfterUs: durationUs(reconnect?.resetAfter ?? "60s"),
    },
    telemetry: (document.telemetry ?? []).map(normaliseTelemetry),
    shadow:
      shadow === undefined
        ? undefined
        : {
            name: shadow.name,
            applyTime: shadow.applyTime === undefined ? undefined : normaliseDistribution(shadow.applyTime),
          },
    ota:
      ota === undefined
        ? undefined
        : {
            executionTime:
              ota.executionTime === undefined ? undefined : normaliseDistribution(ota.executionTime),
            blockBytes: ota.blockBytes,
          },
    buffer: {
      capacity: document.buffer?.capacity ?? 100,
      overflow: document.buffer?.overflow ?? "drop-oldest",
    },
    signals: mapValues(document.signals ?? {}, normaliseSignal),
    settings: document.settings ?? {},
  };
}

function normaliseAttribute(document: AttributeDocument): AttributeSpec {
  if (document === null || typeof document !== "object") return { kind: "constant", value: document };
  if ("cycle" in document) return { kind: "cycle", from: document.cycle.from, to: document.cycle.to };
  if ("identity" in document) return { kind: "identity", identity: document.identity };
  const options = Object.entries(document.choice).map(([value, text]) => ({ value, share: fraction(text) }));
  return { kind: "choice", options };
}

function normaliseMqtt(document: FleetGroupDocument["mqtt"]): MqttPlan {
  const will = document?.will;
  return {
    protocolVersion: isVersion311(document?.protocolVersion) ? 4 : 5,
    keepAliveS: durationUs(document?.keepAlive ?? "60s") / US_PER_S,
    cleanStart: document?.cleanStart ?? true,
    sessionExpiryS: durationUs(document?.sessionExpiry ?? "0s") / US_PER_S,
    receiveMaximum: document?.receiveMaximum ?? 100,
    ...(document?.publishRetry !== undefined && {
      publishRetryUs: durationUs(document.publishRetry),
    }),
    will:
      will === undefined
        ? undefined
        : {
            topic: will.topic,
            payload: will.payload ?? "",
            qos: will.qos ?? 0,
            retain: will.retain ?? false,
            delayS: durationUs(will.delay ?? "0s") / US_PER_S,
          },
  };
}

/** 4 is what CONNECT carries for MQTT 3.1.1. */
export const isVersion311 = (
  version: NonNullable<FleetGroupDocument["mqtt"]>["protocolVersion"] | undefined,
): boolean => version === 4 || version === "3.1.1";

type ArrivalDocument = NonNullable<FleetGroupDocument["connect"]>["arrival"];

function normaliseArrival(document: ArrivalDocument): ArrivalSpec {
  if (document?.rate !== undefined)
    return {
      kind: "rate",
      perSecond: ratePerSecond(document.rate),
      distribution: document.distribution === "poisson" ? "poisson" : "linear",
    };
  return {
    kind: "spread",
    spreadUs: durationUs(document?.spread ?? "0s"),
    distribution: document?.distribution === "linear" ? "linear" : "uniform",
  };
}

const normaliseTelemetry = (
  document: NonNullable<FleetGroupDocument["telemetry"]>[number],
  index: number,
): TelemetrySpec => ({
  name: document.name ?? `telemetry-${index}`,
  everyUs: durationUs(document.every),
  phase: document.phase ?? "random",
  topic: document.topic,
  qos: document.qos ?? 0,
  retain: document.retain ?? false,
  payload: document.payload ?? {},
  traceField: document.traceField,
});

function normaliseSignal(document: SignalDocument): SignalSpec {
  const decimals = document.decimals === undefined ? {} : { decimals: document.decimals };
  switch (document.shape) {
    case "sine": {
      const { shape, mean, amplitude, period, noise } = document;
      const wave = { shape, mean, amplitude, periodUs: durationUs(period) };
      return { ...wave, ...(noise === undefined ? {} : { noise }), ...decimals };
    }
    case "sawtooth": {
      const { shape, min, max, period } = document;
      return { shape, min, max, periodUs: durationUs(period), ...decimals };
    }
    case "replay":
      return {
        shape: "replay",
        values: document.values,
        everyUs: durationUs(document.every),
        ...decimals,
      };
    default: {
      const { decimals: _written, ...rest } = document;
      return { ...rest, ...decimals };
    }
  }
}

const mapValues = <From, To>(
  block: Readonly<Record<string, From>>,
  convert: (value: From) => To,
): Record<string, To> =>
  Object.fromEntries(Object.entries(block).map(([key, value]) => [key, convert(value)]));
