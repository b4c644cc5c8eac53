import type { Clock } from "fleetrig/kernel";
import type { BoardHands } from "../board/board-parts.js";
import { KIND_POLICIES } from "../enumerate/adapters.js";
import type { AttachedPort } from "../enumerate/attached-port.js";
import { resolveIdentity } from "../enumerate/board-identity.js";
import type { Port } from "../port/port.js";
import { ControlSocket } from "../power/control-socket.js";
import { createPowerControl } from "../power/create-power-control.js";
import type { PoweredBoard, PowerHost, PowerSettings } from "../power/power-control.js";
import { ResetEngine } from "../reset/reset-engine.js";
import type { ResetMemory } from "../reset/reset-memory.js";
import type { BenchFileBoard } from "./bench-file.js";

export interface PortHandsOptions {
  readonly clock: Clock;
  readonly memory: ResetMemory;
  readonly host: PowerHost;
}

/**
 * What can be done to the board at a port: by its adapter's lines, by the power control that the bench file gives it, by its USB device,
 * and, where it is virtual, by its control socket.
 * @throws FleetrigError BOARD_POWER_SETTINGS when the settings do not fit the board
 */
export function portHands(
  port: AttachedPort,
  known: BenchFileBoard | undefined,
  { clock, memory, host }: PortHandsOptions,
): BoardHands {
  const { adapter, virtual } = port;
  const board: Present = { port: port.path, mac: known?.mac ?? virtual?.mac, usbPath: port.usb?.path };
  const power = createPowerControl(powerSettingsOf(port, known), board, host);
  let line: Port | undefined;
  const engine = new ResetEngine({
    clock,
    adapter: adapter.kind,
    key: resolveIdentity({ helloMac: known?.mac, port, address: port.address }).key,
    port: () => line,
    power,
    memory,
    ...(known?.reset !== undefined && { custom: { run: known.reset } }),
  });
  const hasLines = known?.reset !== undefined || KIND_POLICIES[adapter.kind].reset.length > 0;
  return {
    placed: ({ path, usbPath }) => {
      board.port = path;
      board.usbPath = usbPath;
    },
    saw: (evidence) => engine.saw(evidence),
    ...((hasLines || power.reset !== undefined) && {
      reset: async (open: Port) => {
        line = open;
        await engine.reset("run");
      },
    }),
    ...(power.canSwitch && power.switchesSupply && { power: async (isOn: boolean) => power.setPower(isOn) }),
    ...(board.usbPath !== undefined && { usbReset: () => logOnAnew(board, host) }),
    ...(virtual?.control !== undefined && virtualHands(virtual.control, clock)),
  };
}

/** Where the board is at the moment. */
type Present = { -readonly [K in keyof PoweredBoard]: PoweredBoard[K] };

/** What the bench file says; virtual boards have a socket for what a hand at the bench could do. */
export function powerSettingsOf({ virtual }: AttachedPort, known: BenchFileBoard | undefined): PowerSettings {
  if (known?.power !== undefined) return known.power as PowerSettings;
  return virtual?.control === undefined ? { kind: "none" } : { kind: "socket", path: virtual.control };
}

async function logOnAnew(board: PoweredBoard, host: PowerHost): Promise<void> {
  const logon = createPowerControl({ kind: "sysfs" }, board, host);
  await logon.setPower(false);
  await logon.setPower(true);
}

function virtualHands(path: string, clock: Clock): BoardHands {
  const socket = new ControlSocket({ path, clock });
  return {
    freeze: (isFrozen) => socket.ask({ op: "freeze", on: isFrozen }),
    plug: (isIn) => socket.ask({ op: "plug", in: isIn }),
  };
}
