import type { Random } from "fleetrig/kernel";
import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { createCertificateAuthority } from "fleetrig/broker";
import { modelOf, SERVICES, type ServiceName } from "../../api/operation-table.js";
import { type SampleChoices, sampleRequest } from "../../api/sample-request.js";
import { mutate, type RawRequest } from "./request-mutation.js";

const SIGNING_NAMES: Readonly<Record<ServiceName, string>> = {
  iot: "iot",
  "iot-data": "iotdata",
  "iot-jobs-data": "iot-jobs-data",
};

const ACCOUNT = "arn:aws:iot:us-east-1:000000000000";
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
});
const TEMPLATE = JSON.stringify({
  Parameters: { Serial: { Type: "String" } },
  Resources: { thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: "Serial" } } } },
});

/**
 * Requests of every operation, in an order that a seed decides: valid ones on few names, so that they meet the same
 * resources again and again, most of them spoiled a little.
 */
export class RequestSource {
  private readonly operations = SERVICES.flatMap((service) =>
    Object.keys(modelOf(service).operations).map((operation) => ({ service, operation })),
  );
  private readonly models = new Map(SERVICES.map((service) => [service, modelOf(service)]));
  private readonly choices: SampleChoices;

  constructor(private readonly random: Random) {
    const texts = vocabulary();
    this.choices = {
      pick: (from) => random.pick(from),
      includes: () => random.below(3) === 0,
      texts: (shapeName) => [...texts.common, ...(texts.byShape[shapeName] ?? [])],
    };
  }

  next(): RawRequest {
    const { service, operation } = this.random.pick(this.operations);
    const { method, target, headers, body } = sampleRequest(
      this.models.get(service)!,
      operation,
      this.choices,
    );
    const authorization = `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${SIGNING_NAMES[service]}/aws4_request, SignedHeaders=host, Signature=0`;
    const bytes = Buffer.from(
      body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body),
    );
    return mutate({ method, target, headers: { ...headers, authorization }, body: bytes }, this.random);
  }
}

/** What makes requests succeed now and then. */
function vocabulary(): {
  readonly common: readonly string[];
  readonly byShape: Readonly<Record<string, readonly string[]>>;
} {
  const authority = createCertificateAuthority({
    clock: new VirtualTime().lane(0),
    random: createRandomSource(1).stream("fuzz"),
    deviceKeyType: "ec-p256",
  });
  const { certificatePem, certificateId } = authority.issueCertificate({ subject: { CommonName: "a1" } });
  const certificateArn = `${ACCOUNT}:cert/${certificateId}`;
  return {
    common: ["a1", "b2", certificateId],
    byShape: {
      CertificatePem: [certificatePem, authority.caCertificatePem],
      PolicyDocument: [POLICY],
      TemplateBody: [TEMPLATE],
      Principal: [certificateArn],
      PolicyTarget: [certificateArn, `${ACCOUNT}:thinggroup/a1`],
      TargetArn: [`${ACCOUNT}:thing/a1`, `${ACCOUNT}:thinggroup/a1`],
      ResourceArn: [`${ACCOUNT}:thinggroup/a1`, certificateArn],
      JobDocument: ['{"operation":"x"}'],
      SQL: ["SELECT * FROM 'a/+'", "SELECT nope("],
      QueryString: ["thingName:a*", "attributes.x > 3", "NOT (a OR"],
      JsonDocument: ['{"state":{"desired":{"a":1}}}'],
    },
  };
}
