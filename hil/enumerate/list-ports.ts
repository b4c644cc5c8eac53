import { basename, dirname } from "node:path";
import { parsePortAddress } from "../port/port-address.js";
import { type Adapter, adapterOf } from "./adapters.js";
import type { AttachedPort, UsbPort } from "./attached-port.js";
import type { SystemFiles } from "./system-files.js";
import type { VirtualBoard } from "./virtual-registry.js";

const TTY_CLASS = "/sys/class/tty";
const NUMBERED = /^(\D+)(\d+)$/;
/** USB trees are at most seven deep, PCI adds a few. */
const MAX_PARENTS = 32;

const UART: Adapter = { kind: "uart", name: "UART", hasMacSerial: false, hasUniqueSerial: false };
const VIRTUAL: Adapter = { kind: "virtual", name: "virtual", hasMacSerial: true, hasUniqueSerial: true };

/** All ports where boards may be: USB adapters, boards' own USB and UARTs by name and number, then virtual boards. */
export function listPorts(
  files: SystemFiles,
  virtual: readonly VirtualBoard[] = [],
): readonly AttachedPort[] {
  const links = { byId: linksOf(files, "/dev/serial/by-id"), byPath: linksOf(files, "/dev/serial/by-path") };
  const attached = files
    .list(TTY_CLASS)
    .flatMap((name) => {
      const port = portOf(files, name);
      return port === undefined ? [] : [port];
    })
    .sort((a, b) => byNumber(a.path, b.path))
    .map((port) => ({
      ...port,
      byId: links.byId.get(port.path) ?? [],
      byPath: links.byPath.get(port.path) ?? [],
    }));
  return [...attached, ...virtual.flatMap(virtualPort)];
}

type Found = Omit<AttachedPort, "byId" | "byPath">;

function portOf(files: SystemFiles, name: string): Found | undefined {
  const entry = `${TTY_CLASS}/${name}`;
  // Consoles, dozens of them: to look any further at each costs more than all the rest, and ports are looked at often.
  if (files.link(entry)?.includes("/devices/virtual/") === true) return undefined;
  const device = files.resolve(`${entry}/device`);
  if (device === undefined) return undefined;
  const driverPath = files.resolve(`${device}/driver`);
  const driver = driverPath === undefined ? undefined : basename(driverPath);
  const path = `/dev/${name}`;
  const usb = usbOf(files, device);
  const common = { address: { kind: "tty", path } as const, path, driver, virtual: undefined };
  if (usb !== undefined) {
    return { ...common, usb, adapter: adapterOf({ ...usb, driver }) };
  }
  // The kernel makes a handful of ttyS in advance; type 0 means that no chip answered there.
  const type = files.read(`${entry}/type`);
  return type === undefined || type === "0" ? undefined : { ...common, usb: undefined, adapter: UART };
}

/** The device that the link names lies within the folder of its USB interface, which lies within that of its USB device. */
function usbOf(files: SystemFiles, device: string): UsbPort | undefined {
  let interfaceNumber: number | undefined;
  let folder = device;
  for (let step = 0; step < MAX_PARENTS && folder !== "/"; step += 1, folder = dirname(folder)) {
    const digits = files.read(`${folder}/bInterfaceNumber`);
    if (digits !== undefined) interfaceNumber = Number.parseInt(digits, 16);
    const vendorId = files.read(`${folder}/idVendor`);
    const productId = files.read(`${folder}/idProduct`);
    if (vendorId === undefined || productId === undefined) continue;
    const portNumber = files.read(`${device}/port_number`);
    return {
      vendorId: vendorId.toLowerCase(),
      productId: productId.toLowerCase(),
      serial: files.read(`${folder}/serial`),
      manufacturer: files.read(`${folder}/manufacturer`),
      product: files.read(`${folder}/product`),
      path: basename(folder),
      interface: interfaceNumber ?? 0,
      portNumber: portNumber === undefined ? undefined : Number(portNumber),
      deviceNumber: Number(files.read(`${folder}/devnum`) ?? 0),
    };
  }
  return undefined;
}

function linksOf(files: SystemFiles, folder: string): Map<string, string[]> {
  const links = new Map<string, string[]>();
  for (const name of [...files.list(folder)].sort()) {
    const target = files.resolve(`${folder}/${name}`);
    if (target !== undefined) links.set(target, [...(links.get(target) ?? []), `${folder}/${name}`]);
  }
  return links;
}

function virtualPort(board: VirtualBoard): readonly AttachedPort[] {
  const { path } = board;
  if (path === undefined) return [];
  const nothing = { driver: undefined, usb: undefined, byId: [], byPath: [] };
  return [{ address: parsePortAddress(path), path, adapter: VIRTUAL, virtual: board, ...nothing }];
}

/** ttyACM0, ttyUSB2, ttyUSB10. */
function byNumber(a: string, b: string): number {
  const [, aName = a, aNumber = "0"] = NUMBERED.exec(a) ?? [];
  const [, bName = b, bNumber = "0"] = NUMBERED.exec(b) ?? [];
  if (aName !== bName) return aName < bName ? -1 : 1;
  return Number(aNumber) - Number(bNumber);
}
