import { basename } from "node:path";
import { isKnownAdapter } from "./adapters.js";
import type { AttachedPort } from "./attached-port.js";
import { listPorts } from "./list-ports.js";
import { portHolders, processesOf } from "./port-holders.js";
import type { SystemFiles } from "./system-files.js";

/** One fact about what stands between this user and a board. */
export interface BoardCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface BoardDoctorOptions {
  readonly files: SystemFiles;
  readonly user: { readonly userId: number; readonly groupIds: readonly number[] };
  /** Where `uhubctl` is, when the user has it. */
  readonly uhubctl?: string | undefined;
}

/** Programs that open every new serial port, and what keeps them from it. */
const GRABBERS: readonly (readonly [program: string, hint: string])[] = [
  [
    "ModemManager",
    'It probes new ports for modems. Stop it, or tell udev: ENV{ID_MM_DEVICE_IGNORE}="1" for the adapter.',
  ],
  ["brltty", "It takes CH340 and CP210x adapters for braille displays. Remove it unless you use one."],
];

const USB_DEVICES = "/sys/bus/usb/devices";
const READ_AND_WRITE = 0o6;

/** What `fleetrig board doctor` says: facts first, guesses named as such. Opens no port. */
export function examineBoards(options: BoardDoctorOptions): readonly BoardCheck[] {
  const { files } = options;
  const ports = listPorts(files);
  return [
    systemCheck(files),
    presenceCheck(ports),
    ...ports.map((port) => permissionCheck(port, options)),
    ...holderChecks(ports, files),
    ...grabberChecks(files),
    ...linkChecks(ports, files),
    ...driverChecks(ports, files),
    powerCheck(ports, options),
  ];
}

function systemCheck(files: SystemFiles): BoardCheck {
  const name = "system";
  if (files.list("/sys/class/tty").length === 0) {
    return {
      name,
      ok: false,
      text: "/sys/class/tty cannot be read, so boards cannot be found",
      hint: "In a container: mount /sys and /dev of the host. On other systems: name the port.",
    };
  }
  if (files.list("/run/udev").length === 0) {
    return {
      name,
      ok: false,
      text: "sysfs is there; udev is not running, so there are no /dev/serial links and permissions stay as the kernel sets them",
      hint: "Ports are found without udev; give yourself access to them with chgrp or a mount option.",
    };
  }
  return { name, ok: true, text: "sysfs and udev are there" };
}

function presenceCheck(ports: readonly AttachedPort[]): BoardCheck {
  const name = "ports";
  if (ports.length > 0)
    return { name, ok: true, text: ports.map(({ path, adapter }) => `${path} (${adapter.name})`).join(", ") };
  return {
    name,
    ok: false,
    text: "no serial port",
    hint: "A cable that only charges, a board without power and no board at all look the same from here: try another cable and socket.",
  };
}

function permissionCheck(port: AttachedPort, { files, user }: BoardDoctorOptions): BoardCheck {
  const name = `access to ${port.path}`;
  const owner = files.owner(port.path);
  if (owner === undefined) {
    return {
      name,
      ok: false,
      text: "the kernel has it, /dev has not",
      hint: "In a container: pass the device in, for example with --device.",
    };
  }
  const shift = user.userId === owner.userId ? 6 : user.groupIds.includes(owner.groupId) ? 3 : 0;
  const isAllowed = user.userId === 0 || ((owner.mode >> shift) & READ_AND_WRITE) === READ_AND_WRITE;
  const group = groupName(files, owner.groupId);
  const rights = `owner ${owner.userId}, group ${group}, mode ${owner.mode.toString(8)}`;
  return isAllowed
    ? { name, ok: true, text: rights }
    : {
        name,
        ok: false,
        text: rights,
        hint: `sudo usermod -aG ${group} $USER, then log in again (a new terminal is not enough).`,
      };
}

function groupName(files: SystemFiles, groupId: number): string {
  const rows = files.read("/etc/group")?.split("\n") ?? [];
  return rows.map((row) => row.split(":")).find(([, , id]) => id === String(groupId))?.[0] ?? String(groupId);
}

/** Who has a port open. */
function holderChecks(ports: readonly AttachedPort[], files: SystemFiles): BoardCheck[] {
  if (ports.length === 0) return [];
  const { byPath, unseen } = portHolders(
    ports.map(({ path }) => path),
    files,
  );
  const held = [...byPath].map(([path, programs]) => ({
    name: `use of ${path}`,
    ok: false,
    text: `open in ${programs.map(({ program, pid }) => `${program} (${pid})`).join(", ")}`,
    hint: "Close it there; two programs at one port take each other's bytes.",
  }));
  if (held.length > 0) return held;
  const doubt =
    unseen > 0 ? ` (as far as this user may see: ${unseen} processes of others were not looked into)` : "";
  return [{ name: "use of ports", ok: true, text: `none is open in another program${doubt}` }];
}

function grabberChecks(files: SystemFiles): BoardCheck[] {
  const running = new Set(processesOf(files).map((pid) => files.read(`/proc/${pid}/comm`)));
  return GRABBERS.filter(([program]) => running.has(program)).map(([program, hint]) => ({
    name: program,
    ok: false,
    text: "is running",
    hint,
  }));
}

/** Adapters that say the same of themselves share one by-id link: it leads to whichever came last. */
function linkChecks(ports: readonly AttachedPort[], files: SystemFiles): BoardCheck[] {
  if (files.list("/dev/serial/by-id").length === 0) return [];
  const twins = new Map<string, AttachedPort[]>();
  for (const port of ports) {
    if (port.usb === undefined) continue;
    const { vendorId, productId, serial, interface: number, portNumber } = port.usb;
    const claim = [vendorId, productId, serial ?? "", number, portNumber ?? ""].join(":");
    twins.set(claim, [...(twins.get(claim) ?? []), port]);
  }
  return [...twins.values()]
    .filter((group) => group.length > 1)
    .map((group) => {
      const link = group.flatMap(({ byId }) => byId)[0];
      return {
        name: "names by id",
        ok: false,
        text: `${group.map(({ path }) => path).join(" and ")} say the same of themselves${
          link === undefined ? "" : `; ${basename(link)} is only one of them`
        }`,
        hint: "Choose boards by MAC, or ports by /dev/serial/by-path; fleetrig does so by itself.",
      };
    });
}

/** Known adapters on the bus for which no driver made a port. */
function driverChecks(ports: readonly AttachedPort[], files: SystemFiles): BoardCheck[] {
  const withPort = new Set(ports.flatMap(({ usb }) => (usb === undefined ? [] : [usb.path])));
  return files.list(USB_DEVICES).flatMap((name) => {
    const vendorId = files.read(`${USB_DEVICES}/${name}/idVendor`)?.toLowerCase();
    const productId = files.read(`${USB_DEVICES}/${name}/idProduct`)?.toLowerCase();
    if (vendorId === undefined || productId === undefined || withPort.has(name)) return [];
    if (!isKnownAdapter(vendorId, productId)) return [];
    return [
      {
        name: `adapter at ${name}`,
        ok: false,
        text: `${vendorId}:${productId} is plugged in and has no port`,
        hint: "Its driver is missing (cp210x, ch341, ftdi_sio, cdc_acm), or another program has taken the device away from it.",
      },
    ];
  });
}

function powerCheck(ports: readonly AttachedPort[], { files, uhubctl }: BoardDoctorOptions): BoardCheck {
  const name = "power";
  const sockets = ports.flatMap(({ usb }) => (usb === undefined ? [] : [usb.path]));
  if (uhubctl !== undefined) {
    return {
      name,
      ok: true,
      text: `${uhubctl} is there; whether a hub really switches its sockets only a try shows`,
    };
  }
  const canDetach = sockets.some((socket) => files.isWritable(`${USB_DEVICES}/${socket}/authorized`));
  return {
    name,
    ok: false,
    text: canDetach
      ? "boards can be logged off from USB, and nothing can switch their supply"
      : "nothing can switch the supply of a board",
    hint: "A board that hangs in its own USB needs it: uhubctl with a hub that switches, or a command of yours under power:.",
  };
}
