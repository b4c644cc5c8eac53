const ATTRIBUTE_NAME = /^[a-zA-Z0-9_.,@/:#-]{1,128}$/;
const ATTRIBUTE_VALUE = /^[a-zA-Z0-9_.,@/:#=[\]-]{1,800}$/;

/** Whether AWS's registry takes an attribute. */
export const isRegistrable = (name: string, value: string): boolean =>
  ATTRIBUTE_NAME.test(name) && ATTRIBUTE_VALUE.test(value);

/** AWS: attributes of a thing without and with a thing type. */
export const MAX_ATTRIBUTES = { untyped: 3, typed: 50 } as const;
