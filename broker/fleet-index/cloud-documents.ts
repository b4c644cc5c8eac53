import type { Clock } from "fleetrig/kernel";
import type { ConnectionDirectory, ConnectionReading } from "../connections/index.js";
import type { MqttBroker } from "../engine/index.js";
import type { RecordBook } from "../records/index.js";
import type { Registry, RegisteredGroup, RegisteredThing } from "../registry/index.js";
import { hostOf, portOf } from "../remote-address.js";
import {
  computeDelta,
  metadataOf,
  type ShadowDocument,
  type ShadowKey,
  type ShadowService,
} from "../shadow/index.js";
import { FleetIndexing, type IndexedDocuments } from "./fleet-indexing.js";
import type { IndexLimits } from "./limits.js";
import type {
  IndexedShadow,
  IndexedSources,
  ThingConnectivity,
  ThingDocument,
  ThingGroupDocument,
} from "./thing-fields.js";

/** The services that know what is indexed. */
interface DocumentServices {
  readonly registry: Registry;
  readonly shadows: () => ShadowService;
  readonly connections: ConnectionDirectory;
}

/** Puts together from the cloud's services what the index asks for. */
function cloudDocuments({ registry, shadows, connections }: DocumentServices): IndexedDocuments {
  const shadow = (key: ShadowKey): IndexedShadow | undefined => {
    const document = shadows().document(key);
    return document && indexedShadow(document);
  };
  const connectivity = (thingName: string): ThingConnectivity | undefined => {
    const reading = connections.reading(thingName);
    return reading && connectivityOf(reading);
  };
  return {
    *thingNames() {
      for (const { name } of registry.allThings()) yield name;
    },
    thing(thingName, sources) {
      const thing = registry.thing(thingName);
      if (thing === undefined) return undefined;
      return {
        ...registered(thing, registry.ids.ofThing(thing)),
        ...shadowsOf(thingName, sources, shadow),
        ...(sources.hasConnectivity && withConnectivity(connectivity(thingName))),
      };
    },
    *thingGroupNames() {
      for (const { name } of registry.allThingGroups()) yield name;
    },
    thingGroup(thingGroupName) {
      const group = registry.thingGroup(thingGroupName);
      return group && groupDocument(group, registry.ids.of("thing-group", group));
    },
    connectivity,
  };
}

interface CloudIndexingOptions extends DocumentServices {
  readonly clock: Clock;
  readonly records: RecordBook;
  readonly broker: Pick<MqttBroker, "addHooks">;
  readonly limits: Partial<IndexLimits> | undefined;
  readonly meter: () => void;
}

/** Fleet indexing that follows registry, shadows and connections once somebody turns it on; dynamic groups follow it. */
export function createCloudIndexing({ broker, limits, ...options }: CloudIndexingOptions): FleetIndexing {
  const { registry } = options;
  const documents = cloudDocuments(options);
  const indexing = new FleetIndexing({ ...options, documents, ...(limits !== undefined && { limits }) });
  registry.onChange((change) => {
    if (change.kind === "thing" && change.operation === "deleted") indexing.thingDeleted(change.thing.name);
    else if ("thing" in change) indexing.thingChanged(change.thing.name);
    else if (change.kind === "group") indexing.thingGroupChanged(change.group.name);
  });
  registry.dynamicGroups.use(indexing);
  broker.addHooks({
    connected: ({ clientId }) => indexing.connectivityChanged(clientId),
    disconnected: ({ clientId }) => indexing.connectivityChanged(clientId),
  });
  return indexing;
}

function registered(thing: RegisteredThing, thingId: string): ThingDocument {
  const { billingGroupName, groupNames, typeName } = thing;
  return {
    thingName: thing.name,
    thingId,
    ...(typeName !== undefined && { thingTypeName: typeName }),
    thingGroupNames: billingGroupName === undefined ? groupNames : [...groupNames, billingGroupName],
    attributes: thing.attributes,
    version: thing.version,
  };
}

function shadowsOf(
  thing: string,
  { hasShadow, namedShadows }: IndexedSources,
  find: (key: ShadowKey) => IndexedShadow | undefined,
): Pick<ThingDocument, "shadow" | "namedShadows"> {
  const classic = hasShadow ? find({ thing }) : undefined;
  const named = Array.from(namedShadows).flatMap((shadowName) => {
    const shadow = find({ thing, shadowName });
    return shadow === undefined ? [] : [[shadowName, shadow] as const];
  });
  return {
    ...(classic !== undefined && { shadow: classic }),
    ...(named.length > 0 && { namedShadows: named }),
  };
}

function indexedShadow(document: ShadowDocument): IndexedShadow {
  const desired = document.desired?.state;
  const reported = document.reported?.state;
  const delta = desired === undefined ? undefined : computeDelta(desired, reported);
  return {
    ...(desired !== undefined && { desired }),
    ...(reported !== undefined && { reported }),
    ...(delta !== undefined && { delta }),
    metadata: metadataOf(document),
    hasDelta: delta !== undefined,
    version: document.version,
    timestamp: document.timestampS,
  };
}

/** Infinity has no JSON; MQTT 5's word for "never" is the largest number of seconds. */
const NEVER_S = 0xff_ff_ff_ff;

const withConnectivity = (
  connectivity: ThingConnectivity | undefined,
): Pick<ThingDocument, "connectivity"> => (connectivity === undefined ? {} : { connectivity });

function connectivityOf(reading: ConnectionReading): ThingConnectivity {
  const { clientId, isConnected, sinceMs, remoteAddress, localPort, disconnectReason } = reading;
  const { keepAliveS, sessionExpiryS } = reading;
  const port = remoteAddress === undefined ? undefined : portOf(remoteAddress);
  return {
    connected: isConnected,
    clientId,
    ...(sinceMs !== undefined && { timestamp: sinceMs }),
    ...(disconnectReason !== undefined && { disconnectReason }),
    ...(keepAliveS !== undefined && { keepAliveDuration: keepAliveS }),
    ...(sessionExpiryS !== undefined && {
      cleanSession: sessionExpiryS === 0,
      sessionExpiry: Math.min(sessionExpiryS, NEVER_S),
    }),
    ...(remoteAddress !== undefined && { sourceIp: hostOf(remoteAddress) }),
    ...(port !== undefined && { sourcePort: port }),
    ...(localPort !== undefined && { targetPort: localPort }),
  };
}

function groupDocument(group: RegisteredGroup, thingGroupId: string): ThingGroupDocument {
  return {
    thingGroupName: group.name,
    thingGroupId,
    ...(group.description !== undefined && { thingGroupDescription: group.description }),
    attributes: group.attributes,
    parentGroupNames: group.lineage.slice(1).map(({ name }) => name),
    version: group.version,
  };
}
