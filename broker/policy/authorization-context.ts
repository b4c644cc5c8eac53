import { formatWallTime } from "fleetrig/kernel";
import type { PolicyContext } from "./authorization.js";
import { ALTERNATIVE_NAMES, attributeOf, NAME_PARTS } from "./context-keys.js";

/** The thing that a client is: its name is the client identifier (or its principal is attached to it alone). */
export interface PolicyThing {
  readonly thingName: string;
  readonly thingTypeName?: string | undefined;
  readonly attributes: ReadonlyMap<string, string>;
  /** Is the presenting principal attached to it? Only then do its variables have values (REF §10.3). */
  readonly isAttached: boolean;
  /** Is the principal attached to this thing and to no other, exclusively? */
  readonly isExclusivelyAttached?: boolean;
}

/** What policies can know of the certificate a client presented. */
export interface PolicyCertificate {
  readonly certificateId?: string | undefined;
  /** As hexadecimal digits. */
  readonly serialNumber?: string | undefined;
  /** Parts of the name, spelled as in `iot:Certificate.Subject.<part>`, such as `CommonName`; values in their order. */
  readonly subject: ReadonlyMap<string, readonly string[]>;
  readonly issuer: ReadonlyMap<string, readonly string[]>;
  /** By `RFC822Name`, `DNSName`, `DirectoryName`, `UniformResourceIdentifier`, `IPAddress`. */
  readonly alternativeNames?: ReadonlyMap<string, readonly string[]> | undefined;
  readonly issuerAlternativeNames?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** What a CONNECT asks for. */
export type ConnectAttribute = "PersistentConnect" | "LastWill";

/** Everything is optional: what is left out has no value. */
export interface AuthorizationFacts {
  readonly clientId?: string | undefined;
  /** Without port. */
  readonly sourceIp?: string | undefined;
  /** Name of the endpoint that the client connected to. */
  readonly domainName?: string | undefined;
  readonly vpcId?: string | undefined;
  readonly thing?: PolicyThing | undefined;
  readonly certificate?: PolicyCertificate | undefined;
  /** Only of the will in a CONNECT. */
  readonly lastWillTopic?: string | undefined;
  /** Only for iot:Connect. */
  readonly connectAttributes?: readonly ConnectAttribute[] | undefined;
  /** Wall time, milliseconds since 1970. */
  readonly nowMs?: number | undefined;
  readonly isSecureTransport?: boolean | undefined;
  /** Any other keys, such as those of an HTTP request; they come before all others. */
  readonly others?: ReadonlyMap<string, string | readonly string[]> | undefined;
}

type Value = string | readonly string[] | undefined;

/** The context of a client or request, as it is now: make another one when a fact changes. */
export function authorizationContext(facts: AuthorizationFacts): PolicyContext {
  return {
    value: (key) => facts.others?.get(key) ?? CONTEXT_VALUES.get(key)?.(facts) ?? attributeValue(key, facts),
  };
}

const attached = (thing: PolicyThing | undefined): PolicyThing | undefined =>
  thing?.isAttached === true ? thing : undefined;

function attributeValue(key: string, { thing }: AuthorizationFacts): Value {
  const name = attributeOf(key);
  return name === undefined ? undefined : attached(thing)?.attributes.get(name);
}

/** AWS: further values of a field of a certificate are ignored. */
const MAX_VALUES = 5;

interface CertificateField {
  readonly key: string;
  readonly values: (certificate: PolicyCertificate) => readonly string[] | undefined;
}

const CERTIFICATE_FIELDS: readonly CertificateField[] = [
  ...NAME_PARTS.flatMap((part): CertificateField[] => [
    { key: `iot:Certificate.Subject.${part}`, values: ({ subject }) => subject.get(part) },
    { key: `iot:Certificate.Issuer.${part}`, values: ({ issuer }) => issuer.get(part) },
  ]),
  ...ALTERNATIVE_NAMES.flatMap((name): CertificateField[] => [
    {
      key: `iot:Certificate.Subject.AlternativeName.${name}`,
      values: ({ alternativeNames }) => alternativeNames?.get(name),
    },
    {
      key: `iot:Certificate.Issuer.AlternativeName.${name}`,
      values: ({ issuerAlternativeNames }) => issuerAlternativeNames?.get(name),
    },
  ]),
];

function certificateValues(): [string, (facts: AuthorizationFacts) => Value][] {
  return CERTIFICATE_FIELDS.flatMap(({ key, values }): [string, (facts: AuthorizationFacts) => Value][] => [
    [key, ({ certificate }) => certificate && values(certificate)?.[0]],
    [`${key}.List`, ({ certificate }) => certificate && values(certificate)?.slice(0, MAX_VALUES)],
  ]);
}

/** Names of the certificate's variables that have values. */
const availableKeys = (certificate: PolicyCertificate): readonly string[] => [
  ...(certificate.serialNumber === undefined ? [] : ["iot:Certificate.SerialNumber"]),
  ...CERTIFICATE_FIELDS.filter(({ values }) => (values(certificate)?.length ?? 0) > 0).map(({ key }) => key),
];

const CONTEXT_VALUES: ReadonlyMap<string, (facts: AuthorizationFacts) => Value> = new Map<
  string,
  (facts: AuthorizationFacts) => Value
>([
  ["iot:ClientId", ({ clientId }) => clientId],
  ["iot:DomainName", ({ domainName }) => domainName],
  ["iot:VpcId", ({ vpcId }) => vpcId],
  ["iot:LastWillTopic", ({ lastWillTopic }) => lastWillTopic],
  ["iot:ConnectAttributes", ({ connectAttributes }) => connectAttributes],
  ["iot:Connection.Thing.ThingName", ({ thing }) => attached(thing)?.thingName],
  ["iot:Connection.Thing.ThingTypeName", ({ thing }) => attached(thing)?.thingTypeName],
  // Of a client that is no thing, too: a Deny for whatever is not attached has to reach it.
  ["iot:Connection.Thing.IsAttached", ({ thing }) => String(attached(thing) !== undefined)],
  [
    "iot:Connection.Thing.IsExclusivelyAttached",
    ({ thing }) => String(attached(thing)?.isExclusivelyAttached === true),
  ],
  ["iot:CertificateId", ({ certificate }) => certificate?.certificateId],
  ["iot:Certificate.SerialNumber", ({ certificate }) => certificate?.serialNumber],
  ["iot:Certificate.AvailableKeys", ({ certificate }) => certificate && availableKeys(certificate)],
  ...certificateValues(),
  ["aws:SourceIp", ({ sourceIp }) => sourceIp],
  [
    "aws:SecureTransport",
    ({ isSecureTransport }) => (isSecureTransport === undefined ? undefined : String(isSecureTransport)),
  ],
  ["aws:CurrentTime", ({ nowMs }) => (nowMs === undefined ? undefined : formatWallTime(nowMs))],
  ["aws:EpochTime", ({ nowMs }) => (nowMs === undefined ? undefined : String(Math.floor(nowMs / 1000)))],
]);
