import { z } from "zod";
import { anyJson, block, choice, list, name, named, text } from "./block.js";
import { message, nameValue } from "./message.js";
import { rate } from "./quantities.js";

// The control plane of the embedded cloud. Field names are AWS's where the values are AWS's data.

/** JSON text, or the same written as YAML. */
const document = (noun: string, description: string) =>
  anyJson(description).refine(
    (value) =>
      typeof value === "string" || (typeof value === "object" && value !== null && !Array.isArray(value)),
    {
      error: (issue) =>
        message(
          `Expected ${noun}, but found ${nameValue(issue.input)}.`,
          "Write it as a block of keys, or as JSON text.",
        ),
    },
  );

const textAttributes = z
  .record(z.string(), z.string({ error: (issue) => `Expected text, but found ${nameValue(issue.input)}.` }))
  .meta({ description: "Attributes: names with texts." });

export const cloudBlock = block(
  {
    account: z
      .string({ error: (issue) => `Expected an account id in quotes, but found ${nameValue(issue.input)}.` })
      .regex(/^\d{12}$/, {
        error: (issue) =>
          message(`${nameValue(issue.input)} is not an account id.`, "Write 12 digits in quotes."),
      })
      .meta({ description: "Account id in ARNs: 12 digits, in quotes." })
      .optional(),
    region: z
      .string()
      .regex(/^[a-z]{2}(?:-[a-z]{1,12}){1,3}-\d$/, {
        error: (issue) =>
          message(`${nameValue(issue.input)} is not a region.`, "Write it like eu-central-1."),
      })
      .meta({ description: "Region in ARNs; default us-east-1." })
      .optional(),
    createKeysRate: rate("CreateKeysAndCertificate requests of devices; default 10/s, as on AWS.").optional(),
    registerThingRate: rate("RegisterThing requests of devices; default 10/s, as on AWS.").optional(),
  },
  "The account that everything belongs to, and its quotas.",
);

export const policy = block({
  name: name("Name of the policy."),
  document: document("a policy document", "AWS IoT policy document, as a block of keys or as JSON text."),
});

export const thingType = block({
  name: name("Name of the thing type."),
  thingTypeDescription: text("Description.", 2028).optional(),
  searchableAttributes: list(text("Name of an attribute.", 128), "Up to three.").optional(),
});

export const thingGroup = block({
  name: name(
    "Name of the thing group; that of a fleet group describes the one that its things are in anyway.",
  ),
  parentGroupName: name("Thing group above it; defined before.").optional(),
  thingGroupDescription: text("Description.", 2028).optional(),
  attributes: textAttributes.optional(),
  policies: list(name("Name of a policy."), "Policies attached to the group; AWS allows two.").optional(),
  queryString: text("Query of the fleet index: makes the group dynamic.", 1000).optional(),
});

export const provisioningTemplate = block({
  name: name("Name of the provisioning template."),
  body: document("a provisioning template", "Body of the template, as a block of keys or as JSON text."),
  hook: text("Pre-provisioning hook: ./hooks.ts#export, or the URL of an HTTP endpoint.", 512).optional(),
});

export const authorizer = block({
  name: name("Name of the custom authorizer."),
  function: text("What decides: ./authorizers.ts#export, or the URL of an HTTP endpoint.", 512),
});

export const indexBlock = block(
  {
    thingIndexingMode: choice(
      ["REGISTRY", "REGISTRY_AND_SHADOW"],
      "What of things is indexed; default REGISTRY.",
    ).optional(),
    thingConnectivityIndexingMode: choice(["OFF", "STATUS"], "Whether connectivity is indexed.").optional(),
    namedShadowNames: list(text("Name of a shadow.", 64), "Named shadows that are indexed.").optional(),
    thingGroupIndexingMode: choice(["OFF", "ON"], "Whether thing groups are indexed.").optional(),
    customFields: list(
      block({
        name: text("Field, such as shadow.reported.temperature.", 1024),
        type: choice(["Number", "String", "Boolean"], "Its type."),
      }),
      "Fields that can be aggregated.",
    ).optional(),
    queries: named(
      text("Query of the fleet index.", 1000),
      "Queries that index.matches counts, by name.",
    ).optional(),
  },
  "Fleet indexing; off without this block.",
);

/** Who a group's devices are. */
export const identityBlock = block(
  {
    certificate: z
      .literal([true, "ec", "rsa"], {
        error: (issue) => message(`Expected true, ec or rsa, but found ${nameValue(issue.input)}.`),
      })
      .meta({ description: "A certificate for each device from the start; true is ec, which is P-256." })
      .optional(),
    policies: list(name("Name of a policy."), "Policies attached to each certificate.").optional(),
    claim: block(
      {
        template: name("Provisioning template."),
        parameters: z
          .record(z.string(), text("Value; may name {thingName}, {index} and attributes.", 4096))
          .meta({ description: "What each device tells the template about itself." })
          .optional(),
        policies: list(name("Name of a policy."), "Policies of the claim certificate.").optional(),
      },
      "Fleet provisioning by claim: devices share a claim certificate and get their own over MQTT.",
    ).optional(),
    authorizer: block(
      {
        name: name("Custom authorizer."),
        username: text("User name; may name {thingName} and attributes.", 1024).optional(),
        password: text("Password; may name {thingName} and attributes.", 1024).optional(),
      },
      "No certificates: a custom authorizer decides on user name and password.",
    ).optional(),
  },
  "Who the devices of the group are: their certificates and policies.",
);

export const attachPolicyBlock = (what: string) => ({
  policyName: name(`Policy that is ${what}.`),
  thingGroup: name("Thing group, instead of certificates of things.").optional(),
});

const CERTIFICATE_STATUSES = ["ACTIVE", "INACTIVE", "REVOKED"] as const;
export const certificateStatus = choice(CERTIFICATE_STATUSES, "AWS UpdateCertificate: the new status.");

export type ThingGroupDocument = z.infer<typeof thingGroup>;
export type IndexDocument = z.infer<typeof indexBlock>;
export type IdentityDocument = z.infer<typeof identityBlock>;
