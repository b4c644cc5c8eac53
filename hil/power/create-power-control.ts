import { FleetrigError } from "fleetrig/kernel";
import { ControlSocket } from "./control-socket.js";
import type { PowerControl, PoweredBoard, PowerHost, PowerSettings } from "./power-control.js";

const USB_PATH = /^(\d+-\d+(?:\.\d+)*)\.(\d+)$|^(\d+)-(\d+)$/;

/** What a board without any power control has. */
export const NO_POWER: PowerControl = {
  description: "none",
  switchesSupply: false,
  canSwitch: false,
  setPower: () =>
    Promise.reject(
      new FleetrigError("BOARD_POWER_NONE", "Nothing can switch the supply of this board.", {
        hint: "Give it a power control: commands of yours, or a hub that uhubctl can switch.",
      }),
    ),
};

/** @throws FleetrigError BOARD_POWER_SETTINGS when the settings do not fit the board */
export function createPowerControl(
  settings: PowerSettings,
  board: PoweredBoard,
  host: PowerHost,
): PowerControl {
  switch (settings.kind) {
    case "none":
      return NO_POWER;
    case "command":
      return commandPower(settings, board, host);
    case "uhubctl":
      return hubPower(settings, board, host);
    case "sysfs":
      return usbPower(board, host);
    case "socket":
      return socketPower(settings.path, host);
  }
}

function commandPower(
  { off, on }: Extract<PowerSettings, { kind: "command" }>,
  board: PoweredBoard,
  host: PowerHost,
): PowerControl {
  const filled = (template: string): string =>
    template.replaceAll(/\{(port|mac|usb)\}/g, (_all, name: string) => {
      const value = { port: board.port, mac: board.mac, usb: board.usbPath }[name];
      if (value === undefined) throw badSettings(`{${name}} in ${JSON.stringify(template)}`, board);
      return `'${value.replaceAll("'", String.raw`'\''`)}'`;
    });
  return {
    description: `command: ${filled(off)} / ${filled(on)}`,
    switchesSupply: true,
    canSwitch: true,
    setPower: (isOn) => attempt(isOn, board, () => host.run("/bin/sh", ["-c", filled(isOn ? on : off)])),
  };
}

function hubPower(
  settings: Extract<PowerSettings, { kind: "uhubctl" }>,
  board: PoweredBoard,
  host: PowerHost,
): PowerControl {
  const { program = "uhubctl" } = settings;
  const { location, port } = socketOf(settings, board);
  return {
    description: `${program}: hub ${location}, socket ${port}`,
    switchesSupply: true,
    canSwitch: true,
    setPower: (isOn) =>
      attempt(isOn, board, () => {
        const socket = socketOf(settings, board);
        const words = ["-l", socket.location, "-p", String(socket.port), "-a", isOn ? "on" : "off"];
        return host.run(program, words);
      }),
  };
}

function socketOf(
  settings: Extract<PowerSettings, { kind: "uhubctl" }>,
  board: PoweredBoard,
): { readonly location: string; readonly port: number } {
  const [, nested, nestedPort, root, rootPort] = USB_PATH.exec(board.usbPath ?? "") ?? [];
  const location = settings.location ?? nested ?? root;
  const port = settings.port ?? Number(nestedPort ?? rootPort);
  if (location === undefined || Number.isNaN(port)) throw badSettings("the hub and its socket", board);
  return { location, port };
}

function usbPower(board: PoweredBoard, host: PowerHost): PowerControl {
  if (board.usbPath === undefined) throw badSettings("the USB device", board);
  const file = (): string => `/sys/bus/usb/devices/${board.usbPath}/authorized`;
  return {
    description: `USB logon: ${file()}`,
    switchesSupply: false,
    canSwitch: true,
    setPower: (isOn) => attempt(isOn, board, () => host.write(file(), isOn ? "1" : "0")),
  };
}

function socketPower(path: string, { clock }: PowerHost): PowerControl {
  const socket = new ControlSocket({ path, clock });
  return {
    description: `control socket: ${path}`,
    switchesSupply: true,
    canSwitch: true,
    setPower: (on) => socket.ask({ op: "power", on }),
    reset: (mode) => socket.ask({ op: "reset", mode }),
  };
}

async function attempt(isOn: boolean, board: PoweredBoard, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FleetrigError(
      "BOARD_POWER_FAILED",
      `The board at ${board.port} could not be switched ${isOn ? "on" : "off"}.`,
      { hint: `The reason given: ${reason.slice(0, 300)}.`, context: { port: board.port }, cause: error },
    );
  }
}

const badSettings = (what: string, { port }: PoweredBoard): FleetrigError =>
  new FleetrigError("BOARD_POWER_SETTINGS", `Of the board at ${port} ${what} is not known.`, {
    hint: "Name it in the board's power settings, or attach the board at a USB port of this machine.",
    exitCode: 2,
  });
