/** A small scenario with policies, a provisioning template and an index; tests say the rest. */
export interface ControlPlaneText {
  readonly fleet: string;
  readonly stages: string;
  readonly clock?: "virtual" | "real";
  /** Of the account; default AWS's. */
  readonly quotas?: string;
  /** Lines of the template's block beside name and body. */
  readonly template?: string;
  /** What the template names the thing. */
  readonly thingName?: string;
  readonly expect?: readonly string[];
}

const ARN = "arn:aws:iot:us-east-1:123456789012";

export const controlPlaneText = ({
  fleet,
  stages,
  clock = "virtual",
  quotas = "",
  template = "",
  thingName = "{ Ref: Name }",
  expect = [],
}: ControlPlaneText): string => `
version: 1
name: control-plane
clock: ${clock}
cloud: { account: "123456789012"${quotas} }
services: { shadows: true, jobs: true }
policies:
  - name: device
    document:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "iot:Connect", Resource: "${ARN}:client/\${iot:Connection.Thing.ThingName}" }
        - { Effect: Allow, Action: "iot:Publish", Resource: ["${ARN}:topic/t/\${iot:Connection.Thing.ThingName}", "${ARN}:topic/$aws/things/\${iot:Connection.Thing.ThingName}/*"] }
        - { Effect: Allow, Action: "iot:Subscribe", Resource: "${ARN}:topicfilter/$aws/things/\${iot:Connection.Thing.ThingName}/*" }
        - { Effect: Allow, Action: "iot:Receive", Resource: "${ARN}:topic/$aws/things/\${iot:Connection.Thing.ThingName}/*" }
  - name: silent
    document:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "iot:Connect", Resource: "${ARN}:client/\${iot:Connection.Thing.ThingName}" }]
  - name: claim
    document:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "iot:Connect", Resource: "${ARN}:client/*" }
        - { Effect: Allow, Action: ["iot:Publish", "iot:Receive"], Resource: ["${ARN}:topic/$aws/certificates/create/*", "${ARN}:topic/$aws/provisioning-templates/fleet/provision/*"] }
        - { Effect: Allow, Action: "iot:Subscribe", Resource: ["${ARN}:topicfilter/$aws/certificates/create/*", "${ARN}:topicfilter/$aws/provisioning-templates/fleet/provision/*"] }
thingTypes: [{ name: sensor }]
thingGroups:
  - { name: site, attributes: { city: Berlin } }
  - { name: floor, parentGroupName: site }
  - { name: found, queryString: "thingTypeName:sensor" }
provisioning:
  - name: fleet
    ${template}
    body:
      Parameters: { Name: { Type: String } }
      Resources:
        thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: ${thingName}, ThingTypeName: sensor } }
        certificate: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: Active } }
        policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: device } }
index: { thingConnectivityIndexingMode: STATUS, queries: { sensors: "thingTypeName:sensor", up: "connectivity.connected:true" } }
network: { lan: { latency: 5ms } }
fleet:${fleet}
stages:${stages}
expect: ${JSON.stringify(expect)}
`;

/** Devices with certificates from the start. */
export const certified = (group: string, count: number, policy = "device"): string => `
  - group: ${group}
    model: builtin:temperature-sensor
    count: ${count}
    thingName: "${group}-{index}"
    thingType: sensor
    attributes: { floor: { cycle: { from: 1, to: 3 } } }
    thingGroups: [floor]
    network: lan
    mqtt: { cleanStart: false, sessionExpiry: 1h }
    reconnect: { policy: full-jitter, base: 500ms, cap: 2s }
    identity: { certificate: true, policies: [${policy}] }
    telemetry: [{ name: ${group}, every: 1s, topic: "t/{thingName}", qos: 1, payload: { seq: "{seq}" } }]`;

/** Devices that provision themselves. */
export const claiming = (group: string, count: number, model = "builtin:temperature-sensor"): string => `
  - group: ${group}
    model: ${model}
    count: ${count}
    thingName: "${group}-{index}"
    thingGroups: [floor]
    network: lan
    reconnect: { policy: full-jitter, base: 500ms, cap: 2s }
    identity: { claim: { template: fleet, parameters: { Name: "{thingName}" }, policies: [claim] } }
    telemetry: [{ name: ${group}, every: 1s, topic: "t/{thingName}", qos: 1, payload: { seq: "{seq}" } }]`;
