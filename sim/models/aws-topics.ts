/** Reserved topics as devices use them. AWS: `$aws/things/<thing>/...` (REF §3). */
export const shadowTopic = (thingName: string, shadowName: string | undefined, suffix: string): string =>
  shadowName === undefined
    ? `$aws/things/${thingName}/shadow/${suffix}`
    : `$aws/things/${thingName}/shadow/name/${shadowName}/${suffix}`;

export const jobTopic = (thingName: string, suffix: string): string =>
  `$aws/things/${thingName}/jobs/${suffix}`;

/** A reserved topic taken apart; undefined for anything that is not a reply or notification to this thing. */
export type ReservedTopic =
  | { readonly service: "shadow"; readonly shadowName: string | undefined; readonly operation: string }
  | { readonly service: "jobs"; readonly operation: string; readonly jobId: string | undefined };

export function parseReservedTopic(thingName: string, topic: string): ReservedTopic | undefined {
  if (!topic.startsWith("$aws/things/")) return undefined;
  const [, , thing, service, ...rest] = topic.split("/");
  if (thing !== thingName) return undefined;
  if (service === "shadow") return shadowReply(rest);
  if (service === "jobs") return jobReply(rest);
  return undefined;
}

function shadowReply(levels: readonly string[]): ReservedTopic {
  const isNamed = levels[0] === "name" && levels.length > 2;
  return {
    service: "shadow",
    shadowName: isNamed ? levels[1] : undefined,
    operation: (isNamed ? levels.slice(2) : levels).join("/"),
  };
}

/** `notify`, `start-next/accepted` and `get/...` are the thing's; `<job>/update/...` is one job's. */
function jobReply(levels: readonly string[]): ReservedTopic {
  const isOfJob = levels.length === 3;
  return {
    service: "jobs",
    jobId: isOfJob ? levels[0] : undefined,
    operation: (isOfJob ? levels.slice(1) : levels).join("/"),
  };
}
