import { type Clock, formatWallTime } from "fleetrig/kernel";
import type { Cloud } from "../cloud.js";
import { cloudError } from "../cloud-error.js";
import { type ClientPage, listClients } from "../observe/index.js";
import { computeDelta, type ShadowDocument } from "../shadow/index.js";

/** What the console shows, as JSON. */
export interface ConsoleSource {
  readonly cloud: Cloud;
  readonly clock: Clock;
}

const MAX_THINGS = 100;
const MAX_JOBS = 100;
const MAX_DENIALS = 200;

export const connectionsReading = ({ cloud, clock }: ConsoleSource): ClientPage =>
  listClients(cloud.broker.sessions(), clock, { limit: MAX_THINGS });

/** Things by the beginning of their names, in order of registration. */
export function thingsReading({ cloud }: ConsoleSource, prefix: string): unknown {
  const things: unknown[] = [];
  for (const { name, typeName } of cloud.registry.allThings()) {
    if (!name.startsWith(prefix)) continue;
    things.push({ thingName: name, thingTypeName: typeName });
    if (things.length === MAX_THINGS) break;
  }
  return { total: cloud.registry.thingCount, things };
}

/** One thing with all its shadows. Shadows exist without a thing, too. */
export function thingReading({ cloud }: ConsoleSource, thingName: string): unknown {
  const { registry, shadows } = cloud;
  const isRegistered = registry.hasThing(thingName);
  const named = shadows.listNamed({ thing: thingName, pageSize: MAX_THINGS });
  const names = named.ok ? named.results : [];
  const documents = ["", ...names].flatMap((shadowName) => {
    const key = { thing: thingName, ...(shadowName !== "" && { shadowName }) };
    const document = shadows.document(key);
    return document === undefined ? [] : [shadowReading(shadowName, document)];
  });
  if (!isRegistered && documents.length === 0)
    throw cloudError("ResourceNotFoundException", "There is no such thing.");
  return {
    thingName,
    attributes: isRegistered ? registry.describeThing(thingName).attributes : {},
    groups: isRegistered ? registry.listThingGroupsForThing(thingName) : [],
    shadows: documents,
  };
}

function shadowReading(shadowName: string, { version, desired, reported }: ShadowDocument): unknown {
  return {
    shadowName,
    version,
    desired: desired?.state,
    reported: reported?.state,
    delta: desired === undefined ? undefined : computeDelta(desired.state, reported?.state),
  };
}

export function jobsReading({ cloud }: ConsoleSource): unknown {
  const { jobs } = cloud.jobs.listJobs({ maxResults: MAX_JOBS });
  return {
    jobs: jobs.map(({ jobId, targetSelection }) => {
      const { status, counts, waiting } = cloud.jobs.progress(jobId as string);
      return { jobId, targetSelection, status, counts, waiting };
    }),
  };
}

export function denialsReading({ cloud }: ConsoleSource): unknown {
  const denials = cloud.access?.denials;
  const latest = denials?.list().slice(0, MAX_DENIALS) ?? [];
  return {
    count: denials?.count ?? 0,
    denials: latest.map(({ atUs, ...denial }) => ({
      ...denial,
      at: formatWallTime(cloud.toWallMs(atUs)),
    })),
  };
}
