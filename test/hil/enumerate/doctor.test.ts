import { type BoardCheck, type BoardDoctorOptions, examineBoards } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { CH340, ESP32_C3, FakeSystem } from "./fake-system.js";

const USER = { userId: 1000, groupIds: [1000] };
const MEMBER = { userId: 1000, groupIds: [1000, 20] };

function found(
  files: FakeSystem,
  name: string,
  options: Partial<BoardDoctorOptions> = {},
): BoardCheck | undefined {
  return examineBoards({ files, user: MEMBER, ...options }).find((check) => check.name === name);
}

describe("examineBoards", () => {
  it("names the group that may use a port, and how to join it", () => {
    const system = new FakeSystem().plug(ESP32_C3).file("/etc/group", "root:x:0:\ndialout:x:20:someone");
    expect(found(system, "access to /dev/ttyACM0", { user: USER })).toEqual({
      name: "access to /dev/ttyACM0",
      ok: false,
      text: "owner 0, group dialout, mode 660",
      hint: expect.stringContaining("usermod -aG dialout"),
    });
    expect(found(system, "access to /dev/ttyACM0")?.ok).toBe(true);
    expect(found(system, "access to /dev/ttyACM0", { user: { userId: 0, groupIds: [0] } })?.ok).toBe(true);
  });

  it("names the program that has a port open", () => {
    const system = new FakeSystem().plug(ESP32_C3);
    system.file("/proc/321/comm", "minicom").linkTo("/proc/321/fd/5", "/dev/ttyACM0");
    expect(found(system, "use of /dev/ttyACM0")).toMatchObject({ ok: false, text: "open in minicom (321)" });
  });

  it("says what it could not look into", () => {
    const system = new FakeSystem().plug(ESP32_C3).file("/proc/1/comm", "init");
    expect(found(system, "use of ports")).toMatchObject({
      ok: true,
      text: expect.stringContaining("1 processes of others"),
    });
  });

  it.each(["ModemManager", "brltty"])("finds %s running", (program) => {
    expect(found(new FakeSystem().file("/proc/77/comm", program), program)?.ok).toBe(false);
  });

  it("finds adapters that share a name by id", () => {
    const system = new FakeSystem().plug(CH340("1-1", "ttyUSB0")).plug(CH340("1-2", "ttyUSB1"));
    expect(found(system, "names by id")?.text).toBe(
      "/dev/ttyUSB0 and /dev/ttyUSB1 say the same of themselves; usb-1a86_USB_Serial-if00 is only one of them",
    );
  });

  it("finds an adapter for which no driver made a port", () => {
    const system = new FakeSystem().plug({ ...ESP32_C3, ttys: [] });
    expect(found(system, "adapter at 1-2.3")).toMatchObject({
      ok: false,
      text: "303a:1001 is plugged in and has no port",
    });
  });

  it("says that nothing to see may have several reasons", () => {
    expect(found(new FakeSystem(), "ports")?.hint).toContain("only charges");
  });

  it.each([
    ["/sys", "cannot be read"],
    ["/run/udev", "udev is not running"],
  ])("says when %s is missing", (folder, text) => {
    expect(found(new FakeSystem().remove(folder), "system")).toMatchObject({
      ok: false,
      text: expect.stringContaining(text),
    });
  });

  it("says which way there is to switch power", () => {
    const system = new FakeSystem().plug(ESP32_C3);
    expect(found(system, "power")?.ok).toBe(false);
    system.writable.add("/sys/bus/usb/devices/1-2.3/authorized");
    expect(found(system, "power")?.text).toContain("logged off");
    expect(found(system, "power", { uhubctl: "/usr/sbin/uhubctl" })?.ok).toBe(true);
  });

  it("says when the device is not passed into the container", () => {
    const system = new FakeSystem().plug(ESP32_C3);
    system.owners.clear();
    expect(found(system, "access to /dev/ttyACM0")?.hint).toContain("container");
  });
});
