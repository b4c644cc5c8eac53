import { join } from "node:path";
import { createHostBench, type VirtualBoardKind } from "fleetrig/hil";
import { createRandomSource, invariant, LANE, RealTime, silentSink } from "fleetrig/kernel";
import { onTestFinished } from "vitest";
import { BoardDevice, type BoardHabits } from "../../scenarios/qualify/board-device.js";
import type { DeviceUnderTest } from "../../scenarios/qualify/case-run.js";
import { findCase } from "../../scenarios/qualify/cases/index.js";
import { EndpointDoor } from "../../scenarios/qualify/endpoint/endpoint-door.js";
import { TestCertificates } from "../../scenarios/qualify/endpoint/test-certificates.js";
import { TestEndpoint } from "../../scenarios/qualify/endpoint/test-endpoint.js";
import type { CaseParameters } from "../../scenarios/qualify/parameters.js";
import { Qualification, type QualificationOptions } from "../../scenarios/qualify/qualification.js";
import type { CaseRecord } from "../../scenarios/qualify/qualification-record.js";
import { plannedCase } from "../../scenarios/qualify/suite/load-suite.js";
import { temporaryFolder } from "../hil/virtual/rig.js";
import { FIRMWARE_BUILDS } from "../rigs.js";

export type Wanted = Readonly<Record<string, Partial<CaseParameters>>>;

/** An endpoint on real sockets. */
export interface OpenDoor {
  readonly time: RealTime;
  readonly endpoint: TestEndpoint;
  readonly door: EndpointDoor;
  readonly certificates: TestCertificates;
}

export async function openDoor(isTls = true): Promise<OpenDoor> {
  const time = new RealTime();
  const clock = time.lane(LANE.harness);
  const endpoint = new TestEndpoint({ time, clock });
  const certificates = new TestCertificates(clock, ["localhost", "127.0.0.1"], 5);
  const door = await EndpointDoor.open({
    host: "127.0.0.1",
    port: 0,
    endpoint,
    nowUs: () => clock.nowUs(),
    ...(isTls && { certificates }),
  });
  onTestFinished(async () => {
    endpoint.end();
    await door.stop();
    time.stop();
  });
  return { time, endpoint, door, certificates };
}

/** Runs cases one after the other. */
export function run(
  { time, endpoint }: Pick<OpenDoor, "time" | "endpoint">,
  wanted: Wanted,
  { device, tls }: { readonly device?: DeviceUnderTest; readonly tls: QualificationOptions["tls"] },
): Promise<ReadonlyMap<string, CaseRecord>> {
  const plan = Object.entries(wanted).map(([id, parameters]) => plannedCase(findCase(id)!, parameters));
  return new Promise((resolve) => {
    new Qualification({
      plan,
      clock: time.lane(LANE.harness),
      endpoint,
      device: device ?? { nudge: () => undefined },
      tls,
      done: (records) => resolve(new Map(records.map((record) => [record.id, record]))),
    }).start();
  });
}

/** Runs cases against whatever connects to the door. */
export const runAtDoor = (open: OpenDoor, wanted: Wanted): Promise<ReadonlyMap<string, CaseRecord>> =>
  run(open, wanted, { tls: { show: (certificate) => open.door.show(certificate) } });

/** Verdicts with what is said about them, for failures that explain themselves. */
export const said = (records: ReadonlyMap<string, CaseRecord>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...records].map(([id, { verdict, reasons, warnings }]) => [
      id,
      [verdict, ...reasons, ...warnings].join(": "),
    ]),
  );

/** A virtual board with the reference firmware. */
export async function openBoard(
  kind: VirtualBoardKind,
  path: "bridge" | "direct",
  habits: Partial<BoardHabits>,
) {
  const open = await openDoor();
  const { time, endpoint, door, certificates } = open;
  const folder = temporaryFolder();
  const random = createRandomSource(11);
  const bench = await createHostBench({
    time,
    random,
    events: silentSink,
    stateFolder: join(folder, "state"),
    temporaryFolder: folder,
    buildFolder: FIRMWARE_BUILDS,
    hostName: "test",
    purpose: "test",
  });
  onTestFinished(() => bench.close());
  const [claim] = await bench.claim([
    {
      thing: "dut-1",
      select: { virtual: kind },
      path,
      profile: kind === "micropython" ? "micropython" : "fleetrig",
    },
  ]);
  invariant(claim?.board !== undefined, `no board: ${JSON.stringify(claim)}`);
  const { certificatePem, keyPem } = certificates.device("dut-1");
  const tls = { serverName: "localhost", caPem: certificates.ca, certificatePem, keyPem };
  const device = new BoardDevice({
    bench,
    board: claim.board,
    clock: time.lane(LANE.firstDevice),
    random,
    endpoint,
    habits,
    ...(path === "direct" && { door: { host: "127.0.0.1", port: door.port, tls } }),
  });
  onTestFinished(() => device.stop());
  return { ...open, device };
}
