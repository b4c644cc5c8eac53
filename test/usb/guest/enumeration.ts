import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { resolveIdentity } from "fleetrig/hil";
import { BOARDS, type BoardName } from "../rack-protocol.js";
import type { BenchTop, Check } from "./bench-top.js";
import { HOST } from "./rack-client.js";

/** On a machine that has nothing else to do it is one or two seconds. */
const UDEV_MS = 90_000;
const COUNT = Object.keys(BOARDS).length;
const linksOf = (top: BenchTop, names: readonly BoardName[]): readonly string[] =>
  names.flatMap((name) => top.port(name).byId);

export const ENUMERATION: readonly Check[] = [
  [
    "the kernel's own tool lists them and attaches one",
    async (top) => {
      const usbip = (...words: string[]): string =>
        execFileSync("/usr/sbin/usbip", ["--tcp-port", `${top.usbipPort}`, ...words], { encoding: "utf8" });
      const list = usbip("list", "-r", HOST);
      for (const { bus } of Object.values(BOARDS)) ok(list.includes(` ${bus}: `), list);
      for (const ids of ["303a:1001", "10c4:ea60", "1a86:7523"])
        strictEqual(list.split(`(${ids})`).length, 3);
      usbip("attach", "-r", HOST, "-b", BOARDS.jtag.bus);
      await top.until("its tty", () => top.find("jtag") !== undefined);
    },
  ],
  [
    "all devices appear, with the drivers and the links of a real bus",
    async (top) => {
      top.attach();
      const tookMs = await top.until(
        "all ports with their links",
        () => top.ports().filter(({ byPath }) => byPath.length > 0).length === COUNT,
        UDEV_MS,
      );
      top.figure("enumeration of the other five devices", tookMs, "ms");
      const drivers = top.ports().map(({ driver, adapter }) => `${driver} ${adapter.kind}`);
      deepStrictEqual([...drivers].sort(), [
        "cdc_acm usb-jtag",
        "cdc_acm usb-jtag",
        "ch341-uart uart-bridge",
        "ch341-uart uart-bridge",
        "cp210x uart-bridge",
        "cp210x uart-bridge",
      ]);
    },
  ],
  [
    "a USB-Serial-JTAG is known by the MAC in its serial number",
    async (top) => {
      for (const name of ["jtag", "jtagChip"] as const) {
        const port = top.port(name);
        const identity = resolveIdentity({ port, address: port.address });
        deepStrictEqual([identity.source, identity.mac], ["usb-serial", BOARDS[name].mac]);
        strictEqual(port.byId.length, 1);
      }
    },
  ],
  [
    "two CH340 share one by-id link, and so do two CP2102 `0001`, but their identities differ",
    async (top) => {
      for (const [pair, link] of [
        [["ch340", "ch340Other"], "usb-1a86_USB_Serial-if00-port0"],
        [["cp2102", "cp2102Chip"], "usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0"],
      ] as const) {
        deepStrictEqual(linksOf(top, pair), [`/dev/serial/by-id/${link}`]);
        const [one, other] = pair.map((name) =>
          resolveIdentity({ port: top.port(name), address: top.port(name).address }),
        );
        strictEqual(one!.source, "usb-path");
        ok(one!.key !== other!.key, one!.key);
        const paths = pair.map((name) => top.port(name).byPath);
        ok(paths.every((links) => links.length > 0) && String(paths[0]) !== String(paths[1]));
      }
    },
  ],
];
