/**
 * Keys that policies can ask about, as `${key}` and in Condition (REF §10.3). Names are compared without case, except
 * for the name of an attribute inside `Attributes[...]`.
 */

/** Parts of a distinguished name, as AWS spells them. */
export const NAME_PARTS = [
  "DistinguishedNameQualifier",
  "Country",
  "Organization",
  "OrganizationalUnit",
  "State",
  "CommonName",
  "SerialNumber",
  "Title",
  "Surname",
  "GivenName",
  "Initials",
  "Pseudonym",
  "GenerationQualifier",
] as const;

export const ALTERNATIVE_NAMES = [
  "RFC822Name",
  "DNSName",
  "DirectoryName",
  "UniformResourceIdentifier",
  "IPAddress",
] as const;

/** Keys of a certificate with several values: the plain key is the first, `.List` all of them. */
const MULTI_VALUED = ["Subject", "Issuer"].flatMap((holder) => [
  ...NAME_PARTS.map((part) => `iot:Certificate.${holder}.${part}`),
  ...ALTERNATIVE_NAMES.map((name) => `iot:Certificate.${holder}.AlternativeName.${name}`),
]);

/** Keys with lists as values: they belong behind ForAnyValue: or ForAllValues:. */
export const LIST_KEYS: readonly string[] = [
  ...MULTI_VALUED.map((key) => `${key}.List`),
  "iot:Certificate.AvailableKeys",
  "iot:ConnectAttributes",
];

/** Every key with one spelling. Attributes of things come on top. */
export const CONTEXT_KEYS: readonly string[] = [
  "iot:ClientId",
  "iot:DomainName",
  "iot:LastWillTopic",
  "iot:Connection.Thing.ThingName",
  "iot:Connection.Thing.ThingTypeName",
  "iot:Connection.Thing.IsAttached",
  "iot:Connection.Thing.IsExclusivelyAttached",
  "iot:CertificateId",
  "iot:Certificate.SerialNumber",
  ...MULTI_VALUED,
  ...LIST_KEYS,
  "iot:VpcId",
  "aws:SourceIp",
  "aws:CurrentTime",
  "aws:EpochTime",
  "aws:SecureTransport",
];

const SPELLINGS = new Map(CONTEXT_KEYS.map((key) => [key.toLowerCase(), key]));

const ATTRIBUTES_PREFIX = "iot:Connection.Thing.Attributes[";

/** The name under which a context has a key; unknown keys stay as they are. */
export function canonicalKey(key: string): string {
  const known = SPELLINGS.get(key.toLowerCase());
  if (known !== undefined) return known;
  const prefix = key.slice(0, ATTRIBUTES_PREFIX.length);
  if (prefix.toLowerCase() !== ATTRIBUTES_PREFIX.toLowerCase()) return key;
  return ATTRIBUTES_PREFIX + key.slice(prefix.length);
}

/** The attribute's name in `iot:Connection.Thing.Attributes[name]`. */
export const attributeOf = (key: string): string | undefined =>
  key.startsWith(ATTRIBUTES_PREFIX) && key.endsWith("]")
    ? key.slice(ATTRIBUTES_PREFIX.length, -1)
    : undefined;
