/** Actions that device policies are about, with the kinds of resources each is decided on (REF §10.1). */
export const POLICY_ACTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["iot:Connect", ["client"]],
  ["iot:Publish", ["topic"]],
  ["iot:RetainPublish", ["topic"]],
  ["iot:Subscribe", ["topicfilter"]],
  ["iot:Receive", ["topic"]],
  ["iot:GetRetainedMessage", ["topic"]],
  ["iot:ListRetainedMessages", ["*"]],
  ["iot:GetThingShadow", ["thing"]],
  ["iot:UpdateThingShadow", ["thing"]],
  ["iot:DeleteThingShadow", ["thing"]],
  ["iot:ListNamedShadowsForThing", ["thing", "*"]],
  ["iot:DescribeJobExecution", ["thing"]],
  ["iot:GetPendingJobExecutions", ["thing"]],
  ["iot:StartNextPendingJobExecution", ["thing"]],
  ["iot:UpdateJobExecution", ["thing"]],
  ["iotjobsdata:DescribeJobExecution", ["thing"]],
  ["iotjobsdata:GetPendingJobExecutions", ["thing"]],
  ["iotjobsdata:StartNextPendingJobExecution", ["thing"]],
  ["iotjobsdata:UpdateJobExecution", ["thing"]],
  ["iotjobsdata:StartCommandExecution", ["thing", "command"]],
  ["iot:AssumeRoleWithCertificate", ["rolealias"]],
  ["iot:DeleteConnection", ["client"]],
  ["iot:GetConnection", ["client"]],
  ["iot:ListSubscriptions", ["client"]],
  ["iot:SendDirectMessage", ["client"]],
  ["greengrass:Discover", ["thing"]],
]);

/** The word before the first slash of an ARN's resource: `topic`, `topicfilter`, `client`, `thing`... */
export function resourceKindOf(arn: string): string | undefined {
  const resource = arn.split(":").slice(5).join(":");
  const slash = resource.indexOf("/");
  return slash === -1 ? undefined : resource.slice(0, slash);
}
