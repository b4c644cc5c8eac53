import { readFileSync } from "node:fs";
import { OPERATIONS } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";
import { modelOf, SERVICES, withOperations } from "./operation-table.js";
import { sampleRequest } from "./sample-request.js";

const SIGNING_NAMES = { iot: "iot", "iot-data": "iotdata", "iot-jobs-data": "iot-jobs-data" } as const;

describe("the table of operations", () => {
  it("is the one in the README", () => {
    const readme = readFileSync("README.md", "utf8");
    expect(readme, "run `npm run operations`").toBe(withOperations(readme));
  });

  it.each(SERVICES)("names only operations that the service model of %s has", (service) => {
    const known = Object.keys(modelOf(service).operations);
    expect(Object.keys(OPERATIONS[service]).filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(
    SERVICES.flatMap((service) =>
      Object.keys(modelOf(service).operations).map((operation) => [service, operation] as const),
    ),
  )(
    "is true for %s %s: there are a handler and a route to it, or a 501 that names it",
    async (service, operation) => {
      const { method, target, headers, body } = sampleRequest(modelOf(service), operation);
      const authorization = `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${SIGNING_NAMES[service]}/aws4_request, SignedHeaders=host, Signature=0`;
      const answer = await startApi().request(method, target, {
        body,
        headers: { ...headers, authorization },
      });
      const name = answer.headers["x-amzn-errortype"];
      expect([
        "InternalFailureException",
        "UnknownOperationException",
        "MethodNotAllowedException",
      ]).not.toContain(name);
      if (OPERATIONS[service][operation] === undefined) {
        expect({ name, status: answer.status }).toEqual({ name: "NotImplementedException", status: 501 });
        expect(answer.body.message).toContain(operation);
      } else if (answer.status === 501) {
        // A part of it may be missing, which the table has to say.
        expect(OPERATIONS[service][operation]?.lacks).toBeDefined();
      }
    },
  );
});
