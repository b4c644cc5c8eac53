import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventsTopic, formatReservedTopic, isReservedTopic, parseReservedTopic } from "fleetrig/protocol";

const shadow = (operation: string, message: string, shadowName?: string) => ({
  service: "shadow",
  thing: "T",
  shadowName,
  operation,
  message,
});
const jobs = (operation: string, message: string, jobId?: string) => ({
  service: "jobs",
  thing: "T",
  jobId,
  operation,
  message,
});

const provisioning = (operation: string, format: string, message: string, templateName?: string) => ({
  service: "provisioning",
  operation,
  templateName,
  format,
  message,
});

const streams = (message: string, format: string) => ({
  service: "streams",
  thing: "T",
  streamId: "s-1",
  message,
  format,
});

const commands = (message: string, format?: string, targetKind = "things", target = "T") => ({
  service: "commands",
  targetKind,
  target,
  executionId: "e-1",
  message,
  format,
});

const VECTORS: readonly (readonly [topic: string, parsed: object])[] = [
  ["$aws/things/T/shadow/get", shadow("get", "request")],
  ["$aws/things/T/shadow/get/accepted", shadow("get", "accepted")],
  ["$aws/things/T/shadow/get/rejected", shadow("get", "rejected")],
  ["$aws/things/T/shadow/update", shadow("update", "request")],
  ["$aws/things/T/shadow/update/accepted", shadow("update", "accepted")],
  ["$aws/things/T/shadow/update/rejected", shadow("update", "rejected")],
  ["$aws/things/T/shadow/update/delta", shadow("update", "delta")],
  ["$aws/things/T/shadow/update/documents", shadow("update", "documents")],
  ["$aws/things/T/shadow/delete", shadow("delete", "request")],
  ["$aws/things/T/shadow/name/$net:1/update/delta", shadow("update", "delta", "$net:1")],
  ["$aws/things/T/shadow/name/name/get", shadow("get", "request", "name")],
  ["$aws/things/T/jobs/get", jobs("get-pending", "request")],
  ["$aws/things/T/jobs/get/accepted", jobs("get-pending", "accepted")],
  ["$aws/things/T/jobs/start-next", jobs("start-next", "request")],
  ["$aws/things/T/jobs/start-next/rejected", jobs("start-next", "rejected")],
  ["$aws/things/T/jobs/notify", jobs("notify", "notification")],
  ["$aws/things/T/jobs/notify-next", jobs("notify-next", "notification")],
  ["$aws/things/T/jobs/$next/get", jobs("describe", "request", "$next")],
  ["$aws/things/T/jobs/get/get", jobs("describe", "request", "get")],
  ["$aws/things/T/jobs/j-1/get/accepted", jobs("describe", "accepted", "j-1")],
  ["$aws/things/T/jobs/j-1/update", jobs("update", "request", "j-1")],
  ["$aws/things/T/jobs/fw-2.4.0/update", jobs("update", "request", "fw-2.4.0")],
  ["$aws/things/T/jobs/j-1/update/rejected", jobs("update", "rejected", "j-1")],
  ["$aws/things/T/streams/s-1/describe/json", streams("describe", "json")],
  ["$aws/things/T/streams/s-1/get/cbor", streams("get", "cbor")],
  ["$aws/things/T/streams/s-1/description/json", streams("description", "json")],
  ["$aws/things/T/streams/s-1/data/cbor", streams("data", "cbor")],
  ["$aws/things/T/streams/s-1/rejected/json", streams("rejected", "json")],
  ["$aws/commands/things/T/executions/e-1/request", commands("request")],
  ["$aws/commands/things/T/executions/e-1/request/json", commands("request", "json")],
  [
    "$aws/commands/clients/c.1@x/executions/e-1/response/cbor",
    commands("response", "cbor", "clients", "c.1@x"),
  ],
  ["$aws/commands/things/T/executions/e-1/response", commands("response")],
  ["$aws/commands/things/T/executions/e-1/response/accepted/json", commands("accepted", "json")],
  ["$aws/commands/things/T/executions/e-1/response/rejected", commands("rejected")],
  ["$aws/events/presence/connected/c/1", { service: "events", category: "presence", path: "connected/c/1" }],
  ["$aws/rules/high_temp", { service: "rules", rule: "high_temp", topic: "" }],
  ["$aws/rules/high_temp/a/b", { service: "rules", rule: "high_temp", topic: "a/b" }],
  ["$aws/certificates/create/json", provisioning("create-keys", "json", "request")],
  ["$aws/certificates/create/cbor/rejected", provisioning("create-keys", "cbor", "rejected")],
  ["$aws/certificates/create-from-csr/cbor", provisioning("create-from-csr", "cbor", "request")],
  ["$aws/certificates/create-from-csr/json/accepted", provisioning("create-from-csr", "json", "accepted")],
  [
    "$aws/provisioning-templates/t-1/provision/json",
    provisioning("register-thing", "json", "request", "t-1"),
  ],
  [
    "$aws/provisioning-templates/t-1/provision/cbor/accepted",
    provisioning("register-thing", "cbor", "accepted", "t-1"),
  ],
];

const FOREIGN: readonly string[] = [
  "sensors/T/shadow/get",
  "$SYS/uptime",
  "$aws",
  "$aws/",
  "$aws/unknown/x",
  "$aws/things/T",
  "$aws/things//shadow/get",
  "$aws/things/a b/shadow/get",
  `$aws/things/${"t".repeat(129)}/shadow/get`,
  "$aws/things/T/shadow",
  "$aws/things/T/shadow/",
  "$aws/things/T/shadow/patch",
  "$aws/things/T/shadow/get/delta",
  "$aws/things/T/shadow/update/",
  "$aws/things/T/shadow/name/get",
  "$aws/things/T/shadow/name//get",
  `$aws/things/T/shadow/name/${"s".repeat(65)}/get`,
  "$aws/things/T/shadow/name/s/patch",
  "$aws/things/T/jobs",
  "$aws/things/T/jobs/stop",
  "$aws/things/T/jobs/$next/update",
  "$aws/things/T/jobs/j 1/update",
  "$aws/things/T/jobs/j/update/accepted/x",
  "$aws/things/T/tunnels/notify",
  "$aws/rules/",
  "$aws/rules/no-hyphens/a",
  "$aws/events/",
  "$aws/events/presence",
  "$aws/events//x",
  "$aws/things/T/streams/s-1/describe",
  "$aws/things/T/streams/s.1/describe/json",
  "$aws/things/T/streams/s-1/describe/json/accepted",
  "$aws/things/T/streams/s-1/put/json",
  "$aws/commands/groups/T/executions/e-1/request",
  "$aws/commands/things/T/executions/e.1/request",
  "$aws/commands/things/T/executions/e-1/response/json/accepted",
  "$aws/commands/things/T/executions/e-1/request/accepted",
  "$aws/commands/things/a/b/executions/e-1/request",
  "$aws/certificates/create",
  "$aws/certificates/create/xml",
  "$aws/certificates/create/json/request",
  "$aws/certificates/create/json/accepted/x",
  "$aws/certificates/renew/json",
  "$aws/provisioning-templates/t/provision",
  "$aws/provisioning-templates/t.1/provision/json",
  `$aws/provisioning-templates/${"t".repeat(37)}/provision/json`,
  "$aws/provisioning-templates/t/provision/json/accepted/x",
  "$aws/provisioning-templates/t/claim/json",
];

describe("reserved topics", () => {
  it.each(VECTORS)("parses and formats %s", (topic, parsed) => {
    expect(parseReservedTopic(topic)).toEqual(parsed);
    expect(formatReservedTopic(parseReservedTopic(topic)!)).toBe(topic);
    expect(isReservedTopic(topic)).toBe(true);
  });

  it.each(FOREIGN)("does not recognise %j", (topic) => {
    expect(parseReservedTopic(topic)).toBeUndefined();
  });

  it("formats back whatever it recognises", () => {
    const level = fc.constantFrom(
      "$aws",
      "things",
      "T",
      "shadow",
      "name",
      "jobs",
      "get",
      "update",
      "accepted",
    );
    fc.assert(
      fc.property(fc.array(level, { maxLength: 7 }), (levels) => {
        const topic = ["$aws", "things", ...levels].join("/");
        const parsed = parseReservedTopic(topic);
        expect(parsed === undefined ? topic : formatReservedTopic(parsed)).toBe(topic);
      }),
    );
  });

  it("joins the levels of an event's topic", () => {
    expect(eventsTopic("jobExecution", "j-1", "failed")).toBe("$aws/events/jobExecution/j-1/failed");
  });
});
