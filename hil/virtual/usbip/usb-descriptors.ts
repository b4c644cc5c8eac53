/** Descriptors, as a device shows them to the host [USB 2.0 §9.6]. */
interface InterfacePlan {
  /** Class, subclass and protocol. */
  readonly triple: readonly [number, number, number];
  readonly endpoints: readonly EndpointPlan[];
  /** Descriptors of the class, between the interface and its endpoints. */
  readonly extra?: readonly (readonly number[])[];
  /** Groups it with the one after it. */
  readonly association?: readonly [count: number, ...triple: number[]];
}

interface EndpointPlan {
  /** With 0x80 for those to the host. */
  readonly address: number;
  readonly transfer: "bulk" | "interrupt";
  readonly packetBytes: number;
}

export interface DescriptorPlan {
  readonly vendorId: number;
  readonly productId: number;
  readonly release: number;
  readonly deviceClass: readonly [number, number, number];
  readonly manufacturer: string | undefined;
  readonly product: string;
  readonly serial: string | undefined;
  readonly interfaces: readonly InterfacePlan[];
}

const KIND = { device: 1, configuration: 2, string: 3, interface: 4, endpoint: 5, association: 11 } as const;
const TRANSFER = { bulk: 2, interrupt: 3 } as const;
const INTERRUPT_INTERVAL_MS = 1;
const STRING_INDEX = { manufacturer: 1, product: 2, serial: 3 } as const;
const ENGLISH = 0x0409;
const SELF_DESCRIBING = 0x80;
/** In steps of 2 mA. */
const CURRENT = 250;

const low = (word: number): number => word & 0xff;
const high = (word: number): number => (word >>> 8) & 0xff;
const word = (value: number): readonly [number, number] => [low(value), high(value)];

/** @returns undefined where there is no such descriptor, which the device answers with a stall */
export function descriptorOf(plan: DescriptorPlan, kind: number, index: number): Uint8Array | undefined {
  if (kind === KIND.device) return deviceDescriptor(plan);
  if (kind === KIND.configuration && index === 0) return configurationDescriptor(plan);
  return kind === KIND.string ? stringDescriptor(plan, index) : undefined;
}

function deviceDescriptor(plan: DescriptorPlan): Uint8Array {
  const has = (name: keyof typeof STRING_INDEX): number =>
    plan[name] === undefined ? 0 : STRING_INDEX[name];
  return Uint8Array.of(
    18,
    KIND.device,
    ...word(0x0200),
    ...plan.deviceClass,
    64,
    ...word(plan.vendorId),
    ...word(plan.productId),
    ...word(plan.release),
    has("manufacturer"),
    has("product"),
    has("serial"),
    1,
  );
}

function configurationDescriptor({ interfaces }: DescriptorPlan): Uint8Array {
  const body = interfaces.flatMap(({ triple, endpoints, extra = [], association }, number) => [
    ...(association === undefined ? [] : [8, KIND.association, number, ...association, 0]),
    9,
    KIND.interface,
    number,
    0,
    endpoints.length,
    ...triple,
    0,
    ...extra.flat(),
    ...endpoints.flatMap(({ address, transfer, packetBytes }) => [
      7,
      KIND.endpoint,
      address,
      TRANSFER[transfer],
      ...word(packetBytes),
      transfer === "interrupt" ? INTERRUPT_INTERVAL_MS : 0,
    ]),
  ]);
  const totalBytes = 9 + body.length;
  const head = [
    9,
    KIND.configuration,
    ...word(totalBytes),
    interfaces.length,
    1,
    0,
    SELF_DESCRIBING,
    CURRENT,
  ];
  return Uint8Array.from([...head, ...body]);
}

function stringDescriptor(plan: DescriptorPlan, index: number): Uint8Array | undefined {
  if (index === 0) return Uint8Array.of(4, KIND.string, ...word(ENGLISH));
  const [name] = Object.entries(STRING_INDEX).find(([, number]) => number === index) ?? [];
  const text = name === undefined ? undefined : plan[name as keyof typeof STRING_INDEX];
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text.slice(0, 126), "utf16le");
  return Uint8Array.of(2 + bytes.length, KIND.string, ...bytes);
}
