import type { JsonObject } from "fleetrig/kernel";
import type {
  IndexedShadow,
  IndexedSources,
  ThingConnectivity,
  ThingDocument,
  ThingGroupDocument,
} from "./thing-fields.js";

/** AWS: a thing as SearchIndex shows it; only what is indexed. */
export interface ThingView {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName?: string;
  readonly thingGroupNames?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  /** JSON text: the classic shadow, with the named ones under `name`. */
  readonly shadow?: string;
  /** JSON text. */
  readonly deviceDefender?: string;
  readonly connectivity?: Readonly<Record<string, unknown>>;
}

const NEVER_CONNECTED: ThingConnectivity = { connected: false };

export function thingView(thing: ThingDocument, sources: IndexedSources): ThingView {
  const { thingTypeName, thingGroupNames = [], attributes, deviceDefender } = thing;
  const shadow = shadowText(thing, sources);
  return {
    thingName: thing.thingName,
    thingId: thing.thingId,
    ...(thingTypeName !== undefined && { thingTypeName }),
    ...(thingGroupNames.length > 0 && { thingGroupNames }),
    ...(attributes !== undefined && { attributes }),
    ...(shadow !== undefined && { shadow }),
    ...(sources.hasDeviceDefender &&
      deviceDefender !== undefined && { deviceDefender: JSON.stringify(deviceDefender) }),
    ...(sources.hasConnectivity && { connectivity: connectivityView(thing) }),
  };
}

function connectivityView({ connectivity }: ThingDocument): Readonly<Record<string, unknown>> {
  const { timestamp, connected, disconnectReason, ...session } = connectivity ?? NEVER_CONNECTED;
  const { keepAliveDuration, cleanSession, sessionExpiry, clientId } = session;
  return {
    connected,
    timestamp,
    disconnectReason: connected ? undefined : disconnectReason,
    keepAliveDuration,
    cleanSession,
    sessionExpiry,
    clientId,
  };
}

function shadowText(thing: ThingDocument, sources: IndexedSources): string | undefined {
  const named = (thing.namedShadows ?? []).filter(([name]) => sources.namedShadows.has(name));
  const classic = sources.hasShadow ? thing.shadow : undefined;
  if (classic === undefined && named.length === 0) return undefined;
  return JSON.stringify({
    ...(named.length > 0 && {
      name: Object.fromEntries(named.map(([name, shadow]) => [name, shadowView(shadow)])),
    }),
    ...(classic !== undefined && shadowView(classic)),
  });
}

function shadowView(shadow: IndexedShadow): JsonObject {
  const { desired, reported, delta, metadata, hasDelta, version, timestamp } = shadow;
  return {
    ...(desired !== undefined && { desired }),
    ...(reported !== undefined && { reported }),
    ...(delta !== undefined && { delta }),
    ...(metadata !== undefined && { metadata }),
    hasDelta,
    ...(version !== undefined && { version }),
    ...(timestamp !== undefined && { timestamp }),
  };
}

/** AWS: a thing group as SearchIndex shows it. */
export function thingGroupView(group: ThingGroupDocument): Omit<ThingGroupDocument, "version"> {
  const { thingGroupName, thingGroupId, thingGroupDescription, attributes, parentGroupNames = [] } = group;
  return {
    thingGroupName,
    thingGroupId,
    ...(thingGroupDescription !== undefined && { thingGroupDescription }),
    ...(attributes !== undefined && { attributes }),
    ...(parentGroupNames.length > 0 && { parentGroupNames }),
  };
}
