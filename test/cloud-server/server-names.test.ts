import { serverNames } from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const MACHINE = ["192.0.2.7", "2001:db8::7"];

describe("names of a cloud server", () => {
  it("are those of loopback unless it listens elsewhere", () => {
    expect(serverNames({}, MACHINE)).toEqual({
      names: ["localhost"],
      addresses: ["127.0.0.1", "::1"],
      shown: "localhost",
    });
  });

  it("are all of the machine's when it listens everywhere, for clients that are not on it", () => {
    expect(serverNames({ host: "0.0.0.0" }, MACHINE)).toEqual({
      names: ["localhost"],
      addresses: ["127.0.0.1", "::1", ...MACHINE],
      shown: "192.0.2.7",
    });
    expect(serverNames({ host: "::" }, []).shown).toBe("localhost");
  });

  it("are those that it was given before its addresses", () => {
    const names = serverNames({ host: "192.0.2.7", allowedHosts: ["Cloud.Lab:9443", "10.0.0.1"] }, MACHINE);
    expect(names).toEqual({
      names: ["localhost", "cloud.lab"],
      addresses: ["127.0.0.1", "::1", "192.0.2.7", "10.0.0.1"],
      shown: "cloud.lab",
    });
  });
});
