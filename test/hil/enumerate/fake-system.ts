import { posix } from "node:path";
import type { FileOwner, SystemFiles } from "fleetrig/hil";

/** A machine made of paths: text for files, `-> target` for links. */
export class FakeSystem implements SystemFiles {
  readonly entries = new Map<string, string>();
  readonly owners = new Map<string, FileOwner>();
  readonly writable = new Set<string>();

  constructor() {
    for (const name of ["tty0", "ptmx", "console"]) this.file(`/sys/class/tty/${name}/dev`, "4:0");
    this.file("/run/udev/control", "");
  }

  file(path: string, text: string): this {
    this.entries.set(path, text);
    return this;
  }

  linkTo(path: string, target: string): this {
    this.entries.set(path, `-> ${target}`);
    return this;
  }

  remove(prefix: string): this {
    for (const path of this.entries.keys()) {
      if (path === prefix || path.startsWith(`${prefix}/`)) this.entries.delete(path);
    }
    return this;
  }

  list(folder: string): readonly string[] {
    const names = [...this.entries.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1).split("/")[0]!);
    return [...new Set(names)];
  }

  read(path: string): string | undefined {
    const text = this.entries.get(this.resolve(path) ?? path);
    return text?.startsWith("-> ") === true ? undefined : text;
  }

  resolve(path: string): string | undefined {
    let resolved = "";
    for (const part of path.split("/").slice(1)) {
      resolved = `${resolved}/${part}`;
      const entry = this.entries.get(resolved);
      if (entry?.startsWith("-> ") === true)
        resolved = posix.resolve(posix.dirname(resolved), entry.slice(3));
    }
    const exists = this.entries.has(resolved) || this.list(resolved).length > 0;
    return exists ? resolved : undefined;
  }

  link(path: string): string | undefined {
    const entry = this.entries.get(path);
    return entry?.startsWith("-> ") === true ? entry.slice(3) : undefined;
  }

  owner(path: string): FileOwner | undefined {
    return this.owners.get(path);
  }

  isWritable(path: string): boolean {
    return this.writable.has(path);
  }

  /** Plugs an adapter in, the way Linux shows it. */
  plug(usb: FakeUsb): this {
    const device = `/sys/devices/pci0000:00/0000:00:14.0/usb1/${usb.path}`;
    this.file(`${device}/idVendor`, usb.ids.slice(0, 4)).file(`${device}/idProduct`, usb.ids.slice(5));
    this.file(`${device}/devnum`, String(usb.number ?? 7)).linkTo(`/sys/bus/usb/devices/${usb.path}`, device);
    if (usb.serial !== undefined) this.file(`${device}/serial`, usb.serial);
    if (usb.product !== undefined) this.file(`${device}/product`, usb.product);
    for (const [index, tty] of usb.ttys.entries()) {
      const number = usb.interfaces?.[index] ?? 0;
      const usbInterface = `${device}/${usb.path}:1.${number}`;
      this.file(`${usbInterface}/bInterfaceNumber`, number.toString(16).padStart(2, "0"));
      const holder = usb.driver === "cdc_acm" ? usbInterface : `${usbInterface}/${tty}`;
      this.linkTo(`${holder}/driver`, `/sys/bus/x/drivers/${usb.driver}`);
      this.file(`/sys/bus/x/drivers/${usb.driver}/bind`, "");
      if (usb.driver !== "cdc_acm") this.file(`${holder}/port_number`, String(usb.portNumbers?.[index] ?? 0));
      this.file(`${holder}/tty/${tty}/dev`, "188:0").linkTo(`${holder}/tty/${tty}/device`, holder);
      this.linkTo(`/sys/class/tty/${tty}`, `${holder}/tty/${tty}`);
      this.file(`/dev/${tty}`, "");
      this.owners.set(`/dev/${tty}`, { userId: 0, groupId: 20, mode: 0o660 });
      const byPath = `/dev/serial/by-path/pci-usb-${usb.path}:1.${number}-port${usb.portNumbers?.[index] ?? 0}`;
      this.linkTo(byPath, `../../${tty}`);
      if (usb.byId !== undefined) this.linkTo(`/dev/serial/by-id/${usb.byId}-if0${number}`, `../../${tty}`);
    }
    return this;
  }
}

export interface FakeUsb {
  readonly path: string;
  /** `vvvv:pppp` */
  readonly ids: string;
  readonly driver: string;
  readonly ttys: readonly string[];
  readonly serial?: string;
  readonly product?: string;
  readonly byId?: string;
  readonly interfaces?: readonly number[];
  readonly portNumbers?: readonly number[];
  readonly number?: number;
}

export const CH340 = (path: string, tty: string, number = 7): FakeUsb => ({
  path,
  ids: "1a86:7523",
  driver: "ch341-uart",
  ttys: [tty],
  product: "USB Serial",
  byId: "usb-1a86_USB_Serial",
  number,
});

export const CP2102 = (path: string, tty: string): FakeUsb => ({
  path,
  ids: "10c4:ea60",
  driver: "cp210x",
  ttys: [tty],
  serial: "0001",
  product: "CP2102 USB to UART Bridge Controller",
  byId: "usb-Silicon_Labs_CP2102_0001",
});

export const ESP32_C3: FakeUsb = {
  path: "1-2.3",
  ids: "303a:1001",
  driver: "cdc_acm",
  ttys: ["ttyACM0"],
  serial: "84:F7:03:67:84:6C",
  product: "USB JTAG/serial debug unit",
  byId: "usb-Espressif_84:F7:03:67:84:6C",
};

export const FT2232H: FakeUsb = {
  path: "1-4",
  ids: "0403:6010",
  driver: "ftdi_sio",
  ttys: ["ttyUSB10", "ttyUSB11"],
  serial: "FT1",
  interfaces: [0, 1],
  portNumbers: [0, 0],
};
