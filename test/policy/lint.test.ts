import { lintPolicy, parsePolicyDocument } from "fleetrig/broker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allow, ARN, deny, documentOf } from "./statements.js";

const codes = (...statements: readonly object[]): readonly string[] =>
  lintPolicy(documentOf(...statements)).map(
    ({ code, severity, statement }) => `${severity} ${code} ${statement}`,
  );

const THING = "${iot:Connection.Thing.ThingName}";
const RECEIVE = allow("iot:Receive", `topic/d/${THING}/*`);

describe("a policy without mistakes", () => {
  it.each<[string, readonly object[]]>([
    [
      "of a device that is a thing",
      [
        allow("iot:Connect", `client/${THING}`),
        {
          Effect: "Allow",
          Action: ["iot:Publish", "iot:RetainPublish", "iot:Receive"],
          Resource: `${ARN}topic/d/${THING}/*`,
        },
        allow("iot:Subscribe", [`topicfilter/d/${THING}/#`, `topicfilter/d/${THING}/+/x`]),
        allow("iot:AssumeRoleWithCertificate", "rolealias/r"),
      ],
    ],
    [
      "with subscribe and receive in one statement",
      [
        {
          Effect: "Allow",
          Action: ["iot:Subscribe", "iot:Receive"],
          Resource: [`${ARN}topicfilter/a/+`, `${ARN}topic/a/*`],
        },
      ],
    ],
    [
      "with identifiers pinned by attachment",
      [allow("iot:Connect", "client/*", { Bool: { "iot:Connection.Thing.IsAttached": true } })],
    ],
    [
      "with a fixed client and its identifier in topics",
      [allow("iot:Connect", "client/c"), allow("iot:Publish", "topic/d/${iot:ClientId}")],
    ],
    ["with actions that are decided on *", [allow("iot:ListRetainedMessages", "*")]],
    ["with a shared subscription", [allow("iot:Subscribe", `topicfilter/$share/g/d/${THING}/+`), RECEIVE]],
    [
      "with regions and accounts left open",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:*:*:topic/a" }],
    ],
    [
      "of another partition",
      [
        {
          Effect: "Allow",
          Action: "iot:Publish",
          Resource: "arn:aws-cn:iot:cn-north-1:123456789012:topic/a",
        },
      ],
    ],
    ["for job executions", [allow("iotjobsdata:UpdateJobExecution", `thing/${THING}`)]],
    [
      "that denies by topic what it denies by filter",
      [
        allow("iot:Subscribe", "topicfilter/b/*"),
        allow("iot:Receive", "topic/b/*"),
        deny("iot:Subscribe", "topicfilter/b/room/*"),
        deny("iot:Receive", "topic/b/room/*"),
      ],
    ],
    [
      "with a Deny that no Allow gets around",
      [
        allow("iot:Subscribe", "topicfilter/a"),
        allow("iot:Receive", "topic/a"),
        deny("iot:Subscribe", "topicfilter/b/c"),
      ],
    ],
  ])("%s has no findings", (_, statements) => {
    expect(lintPolicy(documentOf(...statements))).toEqual([]);
  });
});

describe("a mistake", () => {
  it.each<[code: string, statements: readonly object[]]>([
    ["error unknown-action 0", [allow("iot:Pubish", "topic/a")]],
    ["error unknown-action 0", [allow("iot:CreateThing", "thing/a")]],
    ["error unknown-action 0", [allow("s3:GetObject", "topic/a")]],
    ["error unknown-action 0", [allow("iot:Foo*", "topic/a")]],
    ["warning broad-action 0", [allow("iot:*", "client/a")]],
    ["warning broad-action 0", [allow("*", "client/a")]],
    ["warning allow-all-but 0", [{ Effect: "Allow", NotAction: "iot:Publish", Resource: `${ARN}topic/a` }]],
    ["warning allow-all-but 0", [{ Effect: "Allow", Action: "iot:Publish", NotResource: `${ARN}topic/a` }]],
    ["error receive-on-topicfilter 0", [allow("iot:Receive", "topicfilter/a")]],
    ["warning receive-on-topicfilter 0", [allow("iot:Receive", ["topic/a", "topicfilter/a"])]],
    ["error subscribe-on-topic 0", [allow("iot:Subscribe", "topic/a")]],
    ["error wrong-resource-kind 0", [allow("iot:Publish", "topicfilter/a")]],
    ["error wrong-resource-kind 0", [allow("iot:Connect", "topic/a")]],
    ["error wrong-resource-kind 0", [allow("iot:UpdateThingShadow", "topic/a")]],
    ["error wrong-resource-kind 0", [deny("iot:Publish", "client/a")]],
    [
      "error placeholder 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:REGION:ACCOUNT_ID:topic/a" }],
    ],
    [
      "error placeholder 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:us-east-1:<account-id>:topic/a" }],
    ],
    [
      "error placeholder 0",
      [
        {
          Effect: "Allow",
          Action: "iot:Publish",
          Resource: "arn:aws:iot:us-east-1:123456789012:topic/{{device}}",
        },
      ],
    ],
    ["error wrong-arn 0", [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:topic/a" }]],
    [
      "error wrong-arn 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:amazon:iot:us-east-1:123456789012:topic/a" }],
    ],
    [
      "error wrong-arn 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:sns:us-east-1:123456789012:topic" }],
    ],
    [
      "error wrong-arn 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:useast1:123456789012:topic/a" }],
    ],
    [
      "error wrong-arn 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:us-east-1:12345:topic/a" }],
    ],
    [
      "error wrong-arn 0",
      [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:us-east-1::topic/a" }],
    ],
    ["error wrong-arn 0", [allow("iot:Publish", "topics/a")]],
    ["error wrong-arn 0", [allow("iot:Publish", "topic/")]],
    ["error mqtt-wildcard-in-topic 0", [allow("iot:Publish", "topic/a/+/b")]],
    ["error mqtt-wildcard-in-topic 0", [allow("iot:Receive", "topic/a/#")]],
    ["warning mqtt-wildcard-in-deny 0", [deny("iot:Subscribe", "topicfilter/a/#")]],
    ["warning mqtt-wildcard-in-deny 0", [deny("iot:Publish", "topic/a/+")]],
    ["warning mixed-wildcards 0", [allow("iot:Subscribe", `topicfilter/d/${THING}/*/+`), RECEIVE]],
    ["warning broad-resource 0", [allow("iot:Publish", "*")]],
    ["warning broad-resource 0", [allow("iot:Publish", "topic/*")]],
    ["warning broad-resource 0", [{ Effect: "Allow", Action: "iot:Publish", Resource: "arn:aws:iot:*" }]],
    ["warning client-id-wildcard 0", [allow("iot:Connect", "*")]],
    ["warning client-id-wildcard 0", [allow("iot:Connect", "client/*")]],
    ["warning client-id-wildcard 0", [allow("iot:Connect", "client/sensor-*")]],
    [
      "warning client-id-wildcard 0",
      [allow("iot:Connect", "client/*", { Bool: { "iot:Connection.Thing.IsAttached": ["true", "false"] } })],
    ],
    ["error unknown-variable 0", [allow("iot:Publish", "topic/${iot:ThingName}")]],
    [
      "error unknown-variable 0",
      [allow("iot:Publish", "topic/a", { StringEquals: { "aws:SourceIp": "${iot:clientID2}" } })],
    ],
    ["error unfinished-variable 0", [allow("iot:Publish", "topic/${iot:ClientId")]],
    ["error doubled-dollar 0", [allow("iot:Publish", "topic/$${iot:ClientId}")]],
    ["error list-as-variable 0", [allow("iot:Publish", "topic/${iot:Certificate.Subject.CommonName.List}")]],
    ["warning variable-in-deny 0", [deny("iot:Publish", `topic/${THING}/x`)]],
    [
      "error unknown-condition-key 0",
      [allow("iot:Publish", "topic/a", { Bool: { "iot:IsAttached": "true" } })],
    ],
    [
      "error list-needs-set-operator 0",
      [allow("iot:Connect", "client/a", { StringEquals: { "iot:ConnectAttributes": "LastWill" } })],
    ],
    [
      "info for-all-of-none 0",
      [
        allow("iot:Connect", "client/a", {
          "ForAllValues:StringEquals": { "iot:ConnectAttributes": "LastWill" },
        }),
      ],
    ],
    [
      "error unreadable-value 0",
      [allow("iot:Publish", "topic/a", { IpAddress: { "aws:SourceIp": "10.0.0.0/33" } })],
    ],
    [
      "error unreadable-value 0",
      [allow("iot:Publish", "topic/a", { Bool: { "aws:SecureTransport": "yes" } })],
    ],
    [
      "error unreadable-value 0",
      [allow("iot:Publish", "topic/a", { DateLessThan: { "aws:CurrentTime": "tomorrow" } })],
    ],
  ])("%s is found", (code, statements) => {
    expect(codes(...statements)).toEqual([code]);
  });

  it.each<[codes: readonly string[], statements: readonly object[]]>([
    [["warning missing-receive 0"], [allow("iot:Subscribe", "topicfilter/a/#")]],
    [
      ["warning missing-receive 0"],
      [allow("iot:Subscribe", "topicfilter/a/#"), allow("iot:Receive", "topic/b/*")],
    ],
    [
      ["warning missing-receive 0"],
      [allow("iot:Subscribe", "topicfilter/a/+/b"), allow("iot:Receive", "topic/a/x/c")],
    ],
    [[], [allow("iot:Subscribe", "topicfilter/a/+/b"), allow("iot:Receive", "topic/a/x/b")]],
    [[], [allow("iot:Subscribe", "topicfilter/a/#"), allow("iot:Receive", "topic/*/b/c")]],
    [
      ["warning missing-receive 0", "error receive-on-topicfilter 1"],
      [allow("iot:Subscribe", "topicfilter/a/*"), allow("iot:Receive", "topicfilter/a/*")],
    ],
    [
      ["warning client-id-wildcard 0", "warning unpinned-client-id 1"],
      [allow("iot:Connect", "client/*"), allow("iot:Publish", "topic/d/${iot:ClientId}/up")],
    ],
    [
      ["warning missing-request 0"],
      [
        allow("iot:Subscribe", `topicfilter/$aws/things/${THING}/shadow/update/accepted`),
        allow("iot:Receive", `topic/$aws/things/${THING}/shadow/*`),
        allow("iot:Publish", `topic/$aws/things/${THING}/jobs/*`),
      ],
    ],
    [
      [],
      [
        allow("iot:Subscribe", [
          `topicfilter/$aws/things/${THING}/shadow/#`,
          `topicfilter/$aws/things/+/jobs/notify`,
          `topicfilter/$aws/things/${THING}/shadow/update/delta`,
        ]),
        allow("iot:Receive", "topic/$aws/things/*"),
        allow("iot:Publish", `topic/$aws/things/${THING}/shadow/update`),
      ],
    ],
    [
      ["warning sid-used-twice 1"],
      [
        { Sid: "a", ...allow("iot:Publish", "topic/a") },
        { Sid: "a", ...allow("iot:Publish", "topic/b") },
      ],
    ],
  ])("is %j", (found, statements) => {
    expect(codes(...statements)).toEqual(found);
  });

  it("of a Deny that filters get around comes with such a filter (Device Defender)", () => {
    const statements = [
      allow("iot:Subscribe", "topicfilter/building/*"),
      deny("iot:Subscribe", "topicfilter/building/control_room/*"),
      allow("iot:Receive", "topic/building/*"),
    ];
    const [finding, ...more] = lintPolicy(documentOf(...statements));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: "bypassed-deny", statement: 1 });
    expect(finding!.message).toContain(
      "may subscribe to building/# and so gets what building/control_room/* is to keep",
    );
    expect(finding!.fix).toContain(`Deny iot:Receive on ${ARN}topic/building/control_room/*`);
  });

  it("of single levels that stay open is found, too", () => {
    const statements = [
      allow("iot:Subscribe", ["topicfilter/b/+/t", "topicfilter/b/1/t"]),
      deny("iot:Subscribe", "topicfilter/b/1/t"),
      allow("iot:Receive", "topic/b/*"),
    ];
    expect(lintPolicy(documentOf(...statements)).map(({ message }) => message)).toEqual([
      "A client may subscribe to b/+/t and so gets what b/1/t is to keep from it.",
    ]);
  });

  it("has a place in the text, and a fix", () => {
    const text = `{\n  "Version": "2012-10-17",\n  "Statement": {\n    "Sid": "S", "Effect": "Allow", "Action": "iot:Recieve",\n    "Resource": "${ARN}topic/a"\n  }\n}\n`;
    const findings = lintPolicy(text);
    expect(findings).toEqual([
      {
        code: "unknown-action",
        severity: "error",
        statement: 0,
        sid: "S",
        message: "iot:Recieve is no action that AWS IoT policies decide.",
        fix: 'Did you mean "iot:Receive"?',
        line: 4,
        column: 46,
        start: text.indexOf('"iot:Recieve"'),
        end: text.indexOf('"iot:Recieve"') + '"iot:Recieve"'.length,
      },
    ]);
  });

  it("in the language of 2008 is to have none of the variables", () => {
    const statement = allow("iot:Publish", "topic/${iot:ClientId}");
    expect(lintPolicy(JSON.stringify({ Statement: statement })).map(({ code }) => code)).toEqual([
      "no-version",
      "variables-need-version",
    ]);
  });

  it.each([
    ["", "malformed"],
    ['{"Version": "2012-10-17", "Statement": [{}]}', "malformed"],
    [documentOf(allow("iot:Publish", `topic/${"a".repeat(2048)}`)), "too-long"],
    [documentOf(allow("iot:Publish", `topic/${"a".repeat(20_000)}`)), "too-long"],
  ])("that AWS refuses is an error", (text, code) => {
    expect(lintPolicy(text)).toMatchObject([{ code, severity: "error", statement: undefined }]);
  });

  it("suggests what is no mistake itself", () => {
    const statements = [
      allow("iot:Receive", "topicfilter/a/b"),
      allow("iot:Publish", "topic/a/+/c/#"),
      allow("iot:Subscribe", "topicfilter/x/+"),
    ];
    const fixes = lintPolicy(documentOf(...statements)).map(({ fix }) => /arn:[^ ,]*[^ ,.]/.exec(fix)?.[0]);
    expect(fixes).toEqual([`${ARN}topic/a/b`, `${ARN}topic/a/*/c/*`, `${ARN}topic/x/*`]);
  });

  it("never ends in anything but findings", () => {
    const base = documentOf(
      allow("iot:Subscribe", `topicfilter/a/*/${THING}`),
      deny("iot:Subscribe", "topicfilter/a/#"),
      RECEIVE,
    );
    const text = fc
      .array(
        fc.tuple(
          fc.nat(base.length),
          fc.nat(2),
          fc.constantFrom("*", "#", "+", "/", "${", "}", ":", '"', "?", ""),
        ),
        { maxLength: 6 },
      )
      .map((edits) =>
        edits.reduce(
          (edited, [at, removed, added]) => edited.slice(0, at) + added + edited.slice(at + removed),
          base,
        ),
      );
    fc.assert(
      fc.property(text, (document) => {
        const findings = lintPolicy(document);
        for (const { start, end, line, column } of findings) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(Math.max(document.length, 1));
          expect(Math.min(line, column)).toBeGreaterThan(0);
        }
        if (findings.every(({ code }) => code !== "malformed")) parsePolicyDocument(document);
      }),
      { numRuns: 2000 },
    );
  });
});
